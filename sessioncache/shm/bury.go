package shm

// kill makes an entry one that nobody finds any more, and reports whether this call did
// it. It holds no lock; where it can have that at once it zeroes the data too, else the
// next writer of the set will.
func (w *writer) kill(set, slot int, meta uint64) bool {
	if !w.cas(w.metas(set)+slot, meta, deadMeta(meta)) {
		return false
	}
	token := w.token()
	if w.cas(set+setLock, 0, token) {
		defer w.unlock(set, token)
		w.bury(set, token, slot, 0, 0)
	}
	return true
}

// bury zeroes the data of a dead descriptor, but for the units from keep to keepEnd which
// are another entry's by now, and frees it.
func (w *writer) bury(set int, token uint64, slot, keep, keepEnd int) {
	dead := w.load(w.metas(set) + slot)
	if dead == 0 || isLive(dead) || !w.claim(set, token, slot, dead) { // or it is buried
		return
	}
	if w.sound(dead) {
		start, end := metaStart(dead), metaStart(dead)+metaUnits(dead)
		w.zero(w.data(set)+start, min(end, max(start, keep))-start)
		from := min(end, max(start, keepEnd))
		w.zero(w.data(set)+from, end-from)
	}
	w.cas(w.metas(set)+slot, dead, 0)
}

// claim says, before data is written, where that will be and under which slot: whoever
// steals the lock meanwhile leaves both alone. False where the lock is stolen already.
func (w *writer) claim(set int, token uint64, slot int, dead uint64) bool {
	w.store(set+setPlace, uint64(slot+1)<<metaPlaceBits|dead)
	return w.holds(set, token)
}
