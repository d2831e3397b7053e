package shm

import (
	"context"

	"gosess/sessioncache"
)

// Flush drops the sessions of an owner, of all where it is nil, that end before a time, and all
// of them where it is 0. It looks at every entry, and waits for no lock.
func (s *Store) Flush(_ context.Context, owner *sessioncache.Tag, before uint32) error {
	s.each(owner, func(at int, slot uint64) {
		if (before == 0 || timesExpires(s.load(at+ofSlot)) < before) && s.kill(at, slot) {
			s.Count(sessioncache.Removals)
		}
	})
	return nil
}

// Number counts the sessions of an owner.
func (s *Store) Number(_ context.Context, owner *sessioncache.Tag) (int, error) {
	n := 0
	s.each(owner, func(int, uint64) { n++ })
	return n, nil
}

// each calls do for every session of an owner, of all where it is nil. The entry may be another
// one by then, which its slot word says.
func (m *layout) each(owner *sessioncache.Tag, do func(at int, slot uint64)) { m.eachOf(1, owner, do) }

// eachOf does so in one of so many sets.
func (m *layout) eachOf(step int, owner *sessioncache.Tag, do func(at int, slot uint64)) {
	for i := 0; i < m.sets; i += step {
		set := m.setsAt + i*m.setSize
		for n := range setSlots {
			at := m.slot(set, n)
			slot := m.load(at)
			if !isLive(slot) || !isSession(slot) || !m.sound(slot) {
				continue
			}
			if owner == nil || *owner == m.owner(set, slot) {
				do(at, slot)
			}
		}
	}
}
