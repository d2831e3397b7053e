package shm

import (
	"context"

	"gosess/sessioncache"
)

// stats reads the counters, and every descriptor.
func (m *layout) stats() sessioncache.Stats {
	st := m.counted()
	m.hold(&st, 1)
	return st
}

// counted reads the counters.
func (m *layout) counted() sessioncache.Stats {
	st := sessioncache.Stats{
		Capacity: uint64(m.sets * m.units * wordSize),
		Size:     uint64(len(m.w) * wordSize),
		Created:  m.created,
	}
	st.Total, st.Workers = m.readWorkers()
	st.Contexts, st.Latency = m.readContexts(), m.readLatency()
	records := m.recordsFor(0)
	st.Secrets = records.secrets()
	if w := m.window(); w != nil {
		st.Agent = w.Stats()
	}
	return st
}

// hold looks what the sets hold, at one of so many.
func (m *layout) hold(st *sessioncache.Stats, step int) {
	m.eachOf(step, nil, func(at int, slot uint64) {
		if stored := timesStored(m.load(at + ofSlot)); st.Entries == 0 || stored < st.Oldest {
			st.Oldest = stored
		}
		st.Entries++
		st.Used += uint64(slotUnits(slot) * wordSize)
	})
	looked := (m.sets + step - 1) / step
	st.Entries = st.Entries * uint64(m.sets) / uint64(looked)
	st.Used = st.Used * uint64(m.sets) / uint64(looked)
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

// Glance is Stats for a caller that looks again and again: what a large store holds is worked out from a part of it, of 16 MiB, as keys
// are spread evenly.
func (r *Reader) Glance() sessioncache.Stats {
	const sets = 512
	st := r.m.counted()
	r.m.hold(&st, (r.m.sets+sets-1)/sets)
	return st
}
