package shm

import (
	"context"
	"sync/atomic"

	"gosess/sessioncache"
)

// A reader that meets a writer tries again, but not for ever.
const findAttempts = 4

// handleOf is the handle of the entry whose slot word, at a position, is that.
func handleOf(at int, slot uint64) sessioncache.Handle {
	return sessioncache.Handle{uint64(at), slot}
}

// Find copies the entry of key to e and makes it the most recently used one of its set,
// or one that makes way early if it is spent, and was not used before.
func (s *Store) Find(_ context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry) (bool, error) {
	return s.find(key, e, true), nil
}

// Look is Find for a caller that reads an entry and does not use it: the entry makes way when it would have anyway.
func (s *Store) Look(key *sessioncache.LookupKey, e *sessioncache.Entry) bool {
	return s.find(key, e, false)
}

func (s *Store) find(key *sessioncache.LookupKey, e *sessioncache.Entry, use bool) bool {
	e.Handle, e.Taken = sessioncache.Handle{}, false
	at := s.spotOf(key)
	s.fetchLines(&at, false)
	for range findAttempts {
		if found, changed := s.search(&at, e, use); !changed {
			e.Taken = !found && e.Once && s.wasTaken(&at)
			return found
		}
	}
	return false
}

// takenMark stands in the times of a free slot whose entry somebody has taken, until another entry comes there: what the slot
// word and the data said of the tag, under an expiry that no session has.
func takenMark(short, upper uint64) uint64 {
	return (1<<20-1)<<44 | short>>slotTagAt<<32 | upper
}

// wasTaken reports whether a slot of a key has the mark of one that somebody has taken.
func (s *Store) wasTaken(p *spot) bool {
	mark := takenMark(shortTag(p.tag)&slotTag, p.tag>>32)
	for _, group := range p.groups {
		for at := group; at < group+groupSlots; at++ {
			if s.load(at+ofSlot) == mark && s.load(at) == 0 {
				return true
			}
		}
	}
	return false
}

// search looks for an entry in its groups. Changed: look again.
func (s *Store) search(p *spot, e *sessioncache.Entry, use bool) (found, changed bool) {
	short := shortTag(p.tag)
	for _, group := range p.groups {
		slots := (*[groupSlots]uint64)(s.w[group:])
		for i := range slots {
			slot := atomic.LoadUint64(&slots[i])
			if slot&slotKey != short || !isLive(slot) || !s.sound(slot) {
				continue
			}
			if found, changed = s.fetch(p, group+i, slot, e, use); found || changed {
				return found, changed
			}
		}
	}
	return false, false
}

// fetch copies the entry of a slot. It is whole if the slot word, which a writer
// clears before it touches anything and sets when everything is there, is the same
// before and after.
func (s *Store) fetch(p *spot, at int, slot uint64, e *sessioncache.Entry, use bool) (found, changed bool) {
	from := s.data(p.set) + slotStart(slot)
	isTag := s.hasTag(p.set, slot, p.tag)
	times := s.load(at + ofSlot)
	if isTag {
		e.Sealed = s.readEntry(e.Sealed, from, slotLength(slot))
	}
	if s.load(at) != slot {
		return false, true
	}
	if !isTag {
		return false, false
	}
	e.Expires, e.Handle = timesExpires(times), handleOf(at, slot)
	if !use {
		return true, false
	}
	clock := s.add(p.set+setClock, 1)
	// Where it fails the entry was just used, or is not the same any more.
	s.cas(at+ofSlot, times, makeTimes(e.Expires, useAfter(times, clock, e.Spent), timesLife(times), clock))
	return true, false
}

// watchSpan is how many uses of its set an entry may miss that is used all the time: less than a turn, so
// that it is none of those that make way.
const watchSpan = setSlots / 2

// Watch says how to see that the entry of e is there: the slot word is the entry.
func (s *Store) Watch(e *sessioncache.Entry) sessioncache.Watch {
	at := int(e.Handle[0])
	clock := s.setOf(at) + setClock
	return sessioncache.Watch{Word: &s.w[at], Value: e.Handle[1], Clock: &s.w[clock], Since: s.load(clock), Span: watchSpan}
}

// Drop removes the entry of e, if it is the same still.
func (s *Store) Drop(_ context.Context, e *sessioncache.Entry) (bool, error) {
	at, slot := int(e.Handle[0]), e.Handle[1]
	if !e.Once || slot == 0 {
		return s.kill(at, slot), nil
	}
	times := s.load(at + ofSlot)
	upper := s.load(s.data(s.setOf(at))+slotStart(slot)) & (1<<32 - 1)
	dropped := s.kill(at, slot)
	if dropped {
		// Where it fails another entry has come there.
		s.cas(at+ofSlot, times, takenMark(slot&slotTag, upper))
	}
	return dropped, nil
}
