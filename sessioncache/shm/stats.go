package shm

import (
	"context"

	"gosess/sessioncache"
)

// stats reads the counters, and every descriptor.
func (m *layout) stats() sessioncache.Stats {
	st := sessioncache.Stats{
		Capacity: uint64(m.sets * m.units * wordSize),
		Size:     uint64(len(m.w) * wordSize),
		Created:  m.created,
	}
	st.Total, st.Workers = m.readWorkers()
	st.Contexts, st.Latency = m.readContexts(), m.readLatency()
	m.each(nil, func(at int, slot uint64) {
		if stored := timesStored(m.load(at + ofSlot)); st.Entries == 0 || stored < st.Oldest {
			st.Oldest = stored
		}
		st.Entries++
		st.Used += uint64(slotUnits(slot) * wordSize)
	})
	return st
}

// Stats reads the counters, and every descriptor.
func (s *Store) Stats(context.Context) (sessioncache.Stats, error) { return s.stats(), nil }

// Reader reads what a store says about itself, from outside.
type Reader struct{ m layout }

// OpenReadOnly opens a mapping that need not be writable.
func OpenReadOnly(mapping []byte) (*Reader, error) {
	m, err := layoutOf(mapping)
	if err != nil {
		return nil, err
	}
	return &Reader{m}, nil
}

// Stats reads the counters, and every descriptor.
func (r *Reader) Stats() sessioncache.Stats { return r.m.stats() }
