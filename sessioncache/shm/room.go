package shm

import (
	"sync/atomic"

	"gosess/sessioncache"
)

// An entry makes way alone, for being large enough, where it was used at most this part of a set's slots later than the least recently
// used one of its groups. Where sizes differ by little, few of them are large enough for some, and those would push out one another,
// however new, and leave alone what nobody uses any more.
const staleEarlier = 4

// room is what a writer looks for: a slot, and units of data.
type room struct {
	holder
	spot      spot
	need      int // units
	now       uint32
	at, start int

	free    int    // slots of the group that has most of them, the first of which is the one that at says
	oldest  tenant // the least recently used entry
	fitting tenant // that of those whose place is large enough
	victim  int    // the slot of the entry that makes way and is to be buried, 0 where it is not one alone
	dead    uint64 // what the slot says until the new entry is there
	plan    *plan  // of the set, where the groups were not enough
}

// tenant is an entry and where it is. Its slot word is 0 where there is none.
type tenant struct {
	at   int
	slot uint64
	age  uint32
}

// makeRoom finds a slot and the start of need units, which are free but for the
// victims: their slots are dead, and they are to be buried.
func (s *Store) makeRoom(r *room) {
	r.fetchGap(r.need)
	for _, group := range r.spot.groups {
		r.survey(group)
	}
	generation := r.load(r.set + setGeneration)
	ordinary := r.need <= largeUnits && generation < undug
	if ordinary && r.at != 0 && r.takeGap() {
		return
	}
	full := r.at == 0 || r.full(r.need)
	// Most often the set is full, and the one that goes is as large as the one that comes.
	if ordinary && full && r.fitting.slot != 0 && r.oldest.age-r.fitting.age <= uint32(setSlots/staleEarlier) {
		r.at, r.start = r.fitting.at, slotStart(r.fitting.slot)
		r.evict(r.fitting)
		if r.victim = r.at; slotUnits(r.fitting.slot) == r.need {
			r.victim, r.dead = 0, placeOf(r.fitting.slot) // nothing is left of it to be buried
		}
		r.fetchWords(r.data(r.set)+r.start, r.need)
		return
	}
	if r.at == 0 {
		r.at = r.oldest.at
		r.evict(r.oldest)
		r.bury(r.at, 0, 0)
		if ordinary && r.takeGap() {
			return
		}
	}
	r.plan = s.plans.Get().(*plan)
	r.arrange(generation)
	r.fetchWords(r.data(r.set)+r.start, r.need)
}

// takeGap takes the place from a gap that is known: its end, as what is large lies at the start of a set's data, and makes
// way for itself there.
func (r *room) takeGap() bool {
	i, start, units := r.known(r.need)
	if i < 0 {
		return false
	}
	r.start = start + units - r.need
	r.hint(i, start, units-r.need)
	return true
}

func (r *room) buryVictims() {
	if r.victim != 0 {
		r.bury(r.victim, r.start, r.start+r.need)
	}
	if r.plan != nil {
		for _, n := range r.plan.victims {
			r.bury(r.slot(r.set, int(n)), r.start, r.start+r.need)
		}
	}
}

// survey looks at a group. It drops what the new entry replaces, what
// has expired, and what cannot be an entry.
func (r *room) survey(group int) {
	words := (*[groupSize]uint64)(r.w[group:])
	clock, short := r.load(r.set+setClock), shortTag(r.spot.tag)
	free, first := 0, 0
	for i := range groupSlots {
		slot, times := atomic.LoadUint64(&words[i]), atomic.LoadUint64(&words[i+ofSlot])
		replaced := slot&slotKey == short && r.isOf(&r.spot, slot)
		if !isLive(slot) || timesExpires(times) < r.now || !r.sound(slot) || replaced {
			r.discard(group+i, slot)
			if free++; free == 1 {
				first = group + i
			}
			continue
		}
		age := age(times, clock)
		if age > r.oldest.age {
			r.oldest = tenant{group + i, slot, age}
		}
		if age > r.fitting.age && slotUnits(slot) >= r.need {
			r.fitting = tenant{group + i, slot, age}
		}
	}
	if free > r.free {
		r.free, r.at = free, first
	}
}

// discard drops what a new entry does not leave there.
func (r *room) discard(at int, slot uint64) {
	if slot == 0 {
		return
	}
	if isLive(slot) {
		reason := sessioncache.Errors
		if r.sound(slot) && timesExpires(r.load(at+ofSlot)) < r.now {
			reason = sessioncache.Expiries
		}
		replaced := r.isOf(&r.spot, slot)
		if r.cas(at, slot, placeOf(slot)) && !replaced && isSession(slot) {
			r.count(reason)
		}
	}
	r.bury(at, 0, 0)
}

func (r *room) evict(t tenant) { r.expel(t.at, t.slot, sessioncache.Evictions) }

// expel drops an entry, and counts it as c unless somebody else dropped it first.
// A route that makes way is no session that did.
func (r *room) expel(at int, slot uint64, c sessioncache.Counter) {
	stored := timesStored(r.load(at + ofSlot))
	if !r.cas(at, slot, placeOf(slot)) || !isSession(slot) {
		return
	}
	r.count(c)
	if c == sessioncache.Evictions {
		r.add(r.worker+workerCounts+int(sessioncache.EvictionAge), uint64(max(int64(r.now)-stored, 0)))
	}
}

// arrange sorts the entries of the whole set by place, and makes room in it. Those that overlap, which is what is left
// when a lock was stolen from a live writer, are dropped.
func (r *room) arrange(generation uint64) {
	p := r.plan
	if dropped := generation / undug; dropped > 0 {
		r.add(r.set+setGeneration, -dropped*undug)
	}
	for overlap := true; overlap; {
		overlap = r.lookAt(p)
	}
	first, last := 1, 0
	if p.gap.units > 0 {
		r.start = p.gap.start
		if r.need <= largeUnits {
			r.start += p.gap.units - r.need
		}
	} else {
		first, last = p.window(r.need)
		r.start = int(p.live[first-1].end)
		for _, e := range p.live[first : last+1] {
			r.expel(r.slot(r.set, int(e.slot)), p.noted[e.slot].slot, sessioncache.Evictions)
			p.victims = append(p.victims, e.slot)
		}
	}
	r.note(p, first, last)
}

// note makes hints of the largest gaps that are left, but for that of the entries from first to last, which
// will be noted when they are buried.
func (r *room) note(p *plan, first, last int) {
	var gaps [hintGaps]gap
	bound := 1
	for i := 1; i < len(p.live); i++ {
		if first <= last && first <= i && i <= last+1 {
			continue
		}
		start := int(p.live[i-1].end)
		units := int(p.live[i].start) - start
		if start <= r.start && r.start < start+units { // at one of its ends
			units -= r.need
			if start == r.start {
				start += r.need
			}
		}
		for k := range gaps {
			if units > gaps[k].units {
				gaps[k].start, start = start, gaps[k].start
				gaps[k].units, units = units, gaps[k].units
			}
		}
		bound = max(bound, units+1)
	}
	if r.need > largeUnits { // not the whole set has been looked at
		bound = 0
	}
	for i, gap := range gaps {
		r.hint(i, gap.start, gap.units)
	}
	r.hint(hintBound, 0, bound)
}

// lookAt has the plan know all entries of the set. It reports whether some were dropped on the way because they overlapped.
func (r *room) lookAt(p *plan) (overlap bool) {
	p.reset()
	clock := r.load(r.set + setClock)
	for n := range setSlots {
		at := r.slot(r.set, n)
		slot, times := r.load(at), r.load(at+ofSlot)
		switch {
		case slot == 0:
		case !isLive(slot), !r.sound(slot), timesExpires(times) < r.now:
			r.discard(at, slot)
		case !p.add(n, slot, age(times, clock)):
			r.expel(at, slot, sessioncache.Errors)
			r.bury(at, 0, 0)
			overlap = true
		}
	}
	for _, n := range p.sort(r.need, r.most(r.need)) {
		at := r.slot(r.set, n)
		r.expel(at, p.noted[n].slot, sessioncache.Errors)
		r.bury(at, 0, 0)
		overlap = true
	}
	return overlap
}
