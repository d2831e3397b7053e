package shm

// The entry that was not used for longest makes way first, with these differences, each in times the slots of a set,
// which is about what its entries are accessed in one turn.
const (
	freshPart  = 4            // a new entry counts as this part older: on a Zipf trace that is better than plain LRU
	oftenTimes = often - used // as so many times younger counts one that somebody came back with as many times, after an absence
	spentTimes = 30           // a spent one goes first

	// Uses of a set, a turn and two fifths, after which somebody has come back with an entry, and not just gone on using it.
	absence = setSlots * 7 / 5
)

// older is how much older an entry looks than the last use says, by what use there was of it.
var older = func() (older [uses]uint32) {
	older[fresh] = oftenTimes*setSlots + setSlots/freshPart
	older[spent] = spentTimes * setSlots
	for use := used; use < often; use++ {
		older[use] = uint32(often-use) * setSlots
	}
	return older
}()

// age is how many uses of its set ago an entry was used last, with those differences. Stamps that
// readers make meanwhile are not older than the others.
func age(times, clock uint64) uint32 {
	return uint32(clock+1<<16-times)&stampMask + older[timesUse(times)]
}

// useAfter is what use there was of an entry when a client comes back with it, and spends it or not. A client that comes
// several times without an absence, as a browser does, has come once: it may never come again.
func useAfter(times, clock uint64, spends bool) uint64 {
	use := timesUse(times)
	switch {
	case use == fresh && spends:
		return spent
	case use < used:
		return used
	case (clock-times)&stampMask <= absence:
		return use
	}
	return min(use+1, often)
}
