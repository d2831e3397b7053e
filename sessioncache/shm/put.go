package shm

import (
	"context"

	"gosess/sessioncache"
)

// quarantine is how long nobody else gets the space that a living writer was robbed of,
// in seconds: far longer than a process that wants to run is kept waiting for a core.
const quarantine = 2

// A writer whose lock was stolen begins again, but not for ever.
const putAttempts = 3

// Expect has fetched from memory what a Put under key looks at first. (A Find has done so for a Swap.)
func (s *Store) Expect(key *sessioncache.LookupKey) {
	p := s.spotOf(key)
	s.fetchLines(&p, true)
}

// Put stores sealed under key, in place of what is there. What has expired makes way
// first, then what was not used for longest.
func (s *Store) Put(_ context.Context, key *sessioncache.LookupKey, sealed []byte, expires, now uint32) error {
	return s.put(key, sealed, expires, now, nil)
}

// Swap is Put of e.Sealed, if what is stored still is what e was found as.
func (s *Store) Swap(_ context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry, expires, now uint32) error {
	return s.put(key, e.Sealed, expires, now, e)
}

func (s *Store) put(key *sessioncache.LookupKey, sealed []byte, expires, now uint32, old *sessioncache.Entry) error {
	if len(sealed) == 0 {
		return sessioncache.ErrInvalid
	}
	need := unitsOf(len(sealed))
	if len(sealed) > maxSealed || need > s.most(need) {
		return sessioncache.ErrTooBig
	}
	p := s.spotOf(key)
	err := sessioncache.ErrInterrupted
	for try := 0; try < putAttempts && err == sessioncache.ErrInterrupted; try++ {
		err = s.attempt(&p, sealed, expires, now, old)
	}
	return err
}

// attempt returns ErrInterrupted where the lock of the set was stolen before the entry was there.
func (s *Store) attempt(p *spot, sealed []byte, expires, now uint32, old *sessioncache.Entry) error {
	h, ok := s.lock(p.set)
	if !ok {
		return sessioncache.ErrBusy
	}
	r := room{holder: h, spot: *p, need: unitsOf(len(sealed)), now: now}
	// Deferred: the file may have been cut short, which is a panic here.
	defer s.end(&r)
	if r.robbed {
		r.quarantine(now)
	}
	if old != nil && !r.isStill(p, old) {
		return sessioncache.ErrChanged
	}
	s.makeRoom(&r)

	// Nobody looks at the data before the slot word says that it is there.
	place := makePlace(r.start, len(sealed))
	if !h.claim(r.at, place) {
		return sessioncache.ErrInterrupted
	}
	s.writeEntry(s.data(p.set)+r.start, p.tag, sealed)
	if !h.holds() {
		return sessioncache.ErrInterrupted
	}
	r.buryVictims()
	s.store(r.at+ofSlot, makeTimes(expires, fresh, lifeOf(expires-min(now, expires)), s.add(p.set+setClock, 1)))
	slot := makeSlot(place, p.tag, s.add(p.set+setGeneration, 1))
	if !h.holds() || !s.cas(r.at, r.dead, slot) {
		return sessioncache.ErrInterrupted
	}
	return nil
}

// end gives back what a writer had.
func (s *Store) end(r *room) {
	r.unlock()
	if r.plan != nil {
		s.plans.Put(r.plan)
	}
}

// isStill reports whether the one live entry of a key is what e was found as, or there is
// none and e was not found.
func (h *holder) isStill(p *spot, e *sessioncache.Entry) bool {
	var was sessioncache.Handle
	for _, group := range p.groups {
		for at := group; at < group+groupSlots; at++ {
			slot := h.load(at)
			if !isLive(slot) || !h.isOf(p, slot) {
				continue
			}
			if was != (sessioncache.Handle{}) {
				return false
			}
			was = handleOf(at, slot)
		}
	}
	return was == e.Handle
}

// quarantine makes an entry that nobody can look up of what a robbed writer has claimed:
// else what it still writes would spoil the entry of another.
func (h *holder) quarantine(now uint32) {
	claimed := h.load(h.set + setPlace)
	h.store(h.set+setPlace, 0)
	n, dead := int(claimed>>slotPlaceBits)-1, placeOf(claimed)
	if n < 0 || n >= setSlots || !h.sound(dead) || h.overlaps(dead) {
		return
	}
	at := h.slot(h.set, n)
	h.bury(at, slotStart(dead), slotEnd(dead))
	expires := uint32(min(uint64(now)+quarantine, 1<<32-1))
	h.store(at+ofSlot, makeTimes(expires, used, quarantine, h.load(h.set+setClock)))
	h.cas(at, 0, makeSlot(dead, 0, h.add(h.set+setGeneration, 1))|slotNobodys)
	h.buryBeside(dead)
}

// buryBeside buries what had made way for a place, and leaves that alone: else it would be free together with them.
func (h *holder) buryBeside(place uint64) {
	for n := range setSlots {
		at := h.slot(h.set, n)
		if slot := h.load(at); slot != 0 && !isLive(slot) && h.sound(slot) && meet(slot, place) {
			h.bury(at, slotStart(place), slotEnd(place))
		}
	}
}

// meet reports whether two places have a unit in common.
func meet(a, b uint64) bool { return slotStart(a) < slotEnd(b) && slotStart(b) < slotEnd(a) }

// overlaps reports whether a place is one of a live entry too: then its writer has
// finished, or was robbed twice.
func (h *holder) overlaps(place uint64) bool {
	for n := range setSlots {
		slot := h.load(h.slot(h.set, n))
		if isLive(slot) && meet(slot, place) {
			return true
		}
	}
	return false
}
