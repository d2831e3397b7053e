package shm

import (
	"context"
	"sync/atomic"

	"gosess/sessioncache"
)

const (
	// A spent entry counts as this part of a set's slots older than one that was just used: it
	// makes way earlier, unless its client goes on using it.
	spentPart = 2
	// A reader that meets a writer tries again, but not for ever.
	findAttempts = 4
)

// handleOf is the handle of the entry whose meta word, at a position, is that.
func handleOf(at int, meta uint64) sessioncache.Handle {
	return sessioncache.Handle{uint64(at), meta}
}

// Find copies the entry of key to e and makes it the most recently used one of its set,
// or one that was not used for a while if it is spent.
func (s *Store) Find(_ context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry) (bool, error) {
	e.Handle = sessioncache.Handle{}
	set, tag, home := s.setOf(key), tagOf(key), s.home(key)
	for range findAttempts {
		found, changed := s.search(set, home, s.slots, tag, e)
		if !found && !changed {
			found, changed = s.search(set, 0, home, tag, e)
		}
		if !changed {
			return found, nil
		}
	}
	return false, nil
}

// search looks for a tag in some slots of a set. Changed: look at all of them again.
func (s *Store) search(set, from, to int, tag uint64, e *sessioncache.Entry) (found, changed bool) {
	tags := s.w[s.tags(set)+from : s.tags(set)+to]
	for i := range tags {
		if atomic.LoadUint64(&tags[i]) != tag {
			continue
		}
		if found, changed = s.fetch(set, from+i, tag, e); found || changed {
			return found, changed
		}
	}
	return false, false
}

// fetch copies the entry of a slot. It is whole if the meta word, which a writer
// clears before it touches anything and sets when everything is there, is the same
// before and after.
func (s *Store) fetch(set, slot int, tag uint64, e *sessioncache.Entry) (found, changed bool) {
	metaAt, timesAt := s.metas(set)+slot, s.times(set)+slot
	meta := s.load(metaAt)
	if !isLive(meta) || !s.sound(meta) {
		return false, false
	}
	isTag := s.load(s.tags(set)+slot) == tag
	times := s.load(timesAt)
	e.Sealed = s.read(e.Sealed, s.data(set)+metaStart(meta), metaLength(meta))
	if s.load(metaAt) != meta || !isTag {
		return false, true
	}
	e.Expires, e.Handle = timesExpires(times), handleOf(metaAt, meta)
	stamp := uint32(s.add(set+setClock, 1))
	if e.Spent {
		stamp -= uint32(s.slots / spentPart)
	}
	// Where it fails the entry was just used, or is not the same any more.
	s.cas(timesAt, times, makeTimes(e.Expires, stamp))
	return true, false
}

// Drop removes the entry of e, if it is the same still.
func (s *Store) Drop(_ context.Context, e *sessioncache.Entry) (bool, error) {
	at, meta := int(e.Handle[0]), e.Handle[1]
	set := s.setsAt + (at-s.setsAt)/s.setSize*s.setSize
	return s.kill(set, at-s.metas(set), meta), nil
}
