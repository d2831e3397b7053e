package shm

// undug is one entry that was dropped and that nobody has buried, in a generation word.
const undug = 1 << 32

// kill makes an entry one that nobody finds any more, and reports whether this call did
// it. It waits for no lock; where it can have that at once it zeroes the data too, else the
// next writer of the set will.
func (w *writer) kill(at int, slot uint64) bool {
	if !w.cas(at, slot, placeOf(slot)) {
		return false
	}
	set := w.setOf(at)
	h := holder{writer: w, set: set, token: w.token()}
	if !w.cas(set+setLock, 0, h.token) {
		w.add(set+setGeneration, undug)
		return true
	}
	defer h.unlock()
	h.learn(false)
	h.bury(at, 0, 0)
	return true
}
