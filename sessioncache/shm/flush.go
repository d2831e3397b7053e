package shm

import (
	"context"
	"encoding/binary"

	"gosess/sessioncache"
)

// Flush drops the sessions of an owner, of all where it is nil, that end before a time, and all
// of them where it is 0. It looks at every entry, and waits for no lock.
func (s *Store) Flush(_ context.Context, owner *sessioncache.Tag, before uint32) error {
	s.each(owner, func(set, slot int, meta uint64) {
		if (before == 0 || timesExpires(s.load(s.times(set)+slot)) < before) && s.kill(set, slot, meta) {
			s.Count(sessioncache.Removals)
		}
	})
	return nil
}

// Number counts the sessions of an owner.
func (s *Store) Number(_ context.Context, owner *sessioncache.Tag) (int, error) {
	n := 0
	s.each(owner, func(int, int, uint64) { n++ })
	return n, nil
}

// each calls do for every session of an owner, of all where it is nil. The entry may be another
// one by then, which its meta word says.
func (s *Store) each(owner *sessioncache.Tag, do func(set, slot int, meta uint64)) {
	for i := range s.sets {
		set := s.setsAt + i*s.setSize
		for slot := range s.slots {
			meta := s.load(s.metas(set) + slot)
			if !isLive(meta) || !s.sound(meta) || isRoute(s.load(s.tags(set)+slot)) {
				continue
			}
			if owner == nil || *owner == s.head(set, meta) {
				do(set, slot, meta)
			}
		}
	}
}

// head is the tag that an entry begins with.
func (s *Store) head(set int, meta uint64) sessioncache.Tag {
	var word [wordSize]byte
	binary.NativeEndian.PutUint64(word[:], s.load(s.data(set)+metaStart(meta)))
	return sessioncache.OwnerOf(word[:])
}
