package shm

// holder is the thread that has the lock of a set. Free space is what no slot word points to; so that a writer need
// not look at all of them, the set's header has hints: some gaps, and a size that no other one has.
// Only holders write them. A hint names an epoch, which begins anew where a lock is stolen: what a robbed
// writer knew is not true any more, and its swaps of hints fail.
type holder struct {
	*writer
	set    int
	token  uint64
	hints  [hintWords]uint64
	robbed bool // the lock was a living process's
}

const (
	hintGaps  = 3
	hintBound = hintGaps // the last one: gaps that are not known have fewer units, 0 is unknown; and how many became free unknown
	hintWords = hintGaps + 1

	// A hint is 32 bits of epoch, 16 of start, 16 of units.
	hintEpochAt = 32
	hintStartAt = 16
	hintUnits   = 1<<hintStartAt - 1
)

// Where so many times what is needed is free, in pieces that are not known, the set is looked through for them.
const lookAgain = 2

func (h *holder) hintAt(i int) int { return h.set + setHints + i }

func hintOf(gap uint64) (start, units int) {
	return int(uint32(gap) >> hintStartAt), int(gap & hintUnits)
}

// learn reads the hints, or begins an epoch in which nothing is known yet.
func (h *holder) learn(stolen bool) {
	for i := range h.hints {
		if stolen {
			h.store(h.hintAt(i), h.token<<hintEpochAt)
		}
		h.hints[i] = h.load(h.hintAt(i))
	}
}

// hint writes what is known by now. Where it fails the lock has been stolen.
func (h *holder) hint(i, start, units int) {
	next := h.hints[i]>>hintEpochAt<<hintEpochAt | uint64(start)<<hintStartAt | uint64(units)
	if next != h.hints[i] && h.cas(h.hintAt(i), h.hints[i], next) {
		h.hints[i] = next
	}
}

// smallest returns the smallest gap of those that are said to have need units, -1 where there is none.
func (h *holder) smallest(need int) (best, start, units int) {
	best, units = -1, h.units+1
	for i := range hintGaps {
		from, size := hintOf(h.hints[i])
		if size >= need && size < units && from+size <= h.most(need) {
			best, start, units = i, from, size
		}
	}
	return best, start, units
}

// fetchGap has fetched from memory what known looks at, if nothing becomes free until then.
func (h *holder) fetchGap(need int) {
	if best, start, units := h.smallest(need); best >= 0 {
		h.fetchWords(h.data(h.set)+start+units-need, need)
	}
}

// known returns the smallest gap that is known of those that have need units, and are free at the end, -1 where there is none. Free space is zero: what
// is not was never free, or is what a killed writer has left.
func (h *holder) known(need int) (best, start, units int) {
	best, start, units = h.smallest(need)
	if best >= 0 && !h.isZero(h.data(h.set)+start+units-need, need) {
		h.hint(best, 0, 0)
		h.hint(hintBound, 0, 0)
		best = -1
	}
	return best, start, units
}

// free notes that units are free: beside a gap that is known, or in the place of the smallest.
func (h *holder) free(start, units int) {
	if units <= 0 {
		return
	}
	at, least := 0, h.units
	for i := range hintGaps {
		from, size := hintOf(h.hints[i])
		if size > 0 && from+size == start {
			at, least, start, units = i, 0, from, size+units
			break
		}
		if size > 0 && start+units == from {
			at, least, units = i, 0, size+units
			break
		}
		if size < least {
			at, least = i, size
		}
	}
	if units > least {
		h.hint(at, start, units)
	}
	if lost, bound := hintOf(h.hints[hintBound]); bound > 0 {
		left := min(units, least)
		h.hint(hintBound, min(lost+left, h.units), max(bound, left+1))
	}
}

// full reports whether there is hardly a gap of need units but those that are known: none was, and not so much has become
// free since that neighbours among it may make one.
func (h *holder) full(need int) bool {
	lost, bound := hintOf(h.hints[hintBound])
	return bound > 0 && need >= bound && lost < lookAgain*need
}

// claim says, before data is written, where that will be and under which slot: whoever
// steals the lock meanwhile leaves both alone. False where the lock is stolen already.
func (h *holder) claim(at int, place uint64) bool {
	h.store(h.set+setPlace, uint64(h.number(h.set, at)+1)<<slotPlaceBits|placeOf(place))
	return h.holds()
}

// bury zeroes the data of a dead slot, but for the units from keep to keepEnd which
// are another entry's by now, and frees both.
func (h *holder) bury(at, keep, keepEnd int) {
	dead := h.load(at)
	if dead == 0 || isLive(dead) || !h.claim(at, dead) { // or it is buried
		return
	}
	start, end := slotStart(dead), slotEnd(dead)
	before, after := min(end, max(start, keep)), min(end, max(start, keepEnd))
	sound := h.sound(dead)
	if sound {
		h.zero(h.data(h.set)+start, before-start)
		h.zero(h.data(h.set)+after, end-after)
	}
	if h.cas(at, dead, 0) && sound {
		h.free(start, before-start)
		h.free(after, end-after)
	}
}

// holds reports whether the lock was not stolen.
func (h *holder) holds() bool { return h.load(h.set+setLock) == h.token }

// unlock gives the lock back, unless it was stolen.
func (h *holder) unlock() {
	if h.holds() {
		h.store(h.set+setPlace, 0)
		h.cas(h.set+setLock, h.token, 0)
	}
}
