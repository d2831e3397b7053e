package shm

// Who makes way first is who was not used for longest, with these differences, each in times the slots of a set,
// which is about what its entries are accessed in one turn.
const (
	freshPart  = 8  // a new entry counts as this part older: on a Zipf trace that is better than plain LRU
	oftenTimes = 5  // one that was used in many turns as so many times younger
	spentTimes = 30 // a spent one goes first
)

// older is how much older an entry looks than the last use says, by what use there was of it.
var older = func() (older [uses]uint32) {
	for use := range older {
		older[use] = oftenTimes * setSlots
	}
	older[fresh] += setSlots / freshPart
	older[spent] = spentTimes * setSlots
	for use := often; use < uses; use++ {
		older[use] = 0
	}
	return older
}()

// age is how many uses of its set ago an entry was used last, with those differences. Stamps that
// readers make meanwhile are not older than the others.
func age(times, clock uint64) uint32 {
	return uint32(clock+1<<16-times)&stampMask + older[timesUse(times)]
}

// useAfter is what use there was of an entry when somebody comes back with it, who spends it or not. One that comes
// several times in one turn of the set, as a browser does, has come once: it may never come again.
func useAfter(times, clock uint64, spends bool) uint64 {
	use := timesUse(times)
	switch {
	case use == fresh && spends:
		return spent
	case use < used:
		return used
	case (clock-times)&stampMask <= uint64(setSlots):
		return use
	}
	return min(use+1, often)
}
