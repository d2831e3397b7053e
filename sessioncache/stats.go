package sessioncache

// Counter names one of the things that are counted. The values are part of the
// store's format.
type Counter int

// The counters, each over all that a worker has done.
const (
	Hits      Counter = iota // lookups that returned a session
	Misses                   // lookups that did not
	Stores                   // sessions stored
	Evictions                // sessions that made way for others
	Expiries                 // sessions dropped because their time was over
	Removals                 // sessions removed on request
	TooBig                   // sessions refused for their size
	Errors                   // entries that could not be used, sessions that could not be stored
	counterCount
)

// Counters holds a value for each [Counter].
type Counters struct {
	Hits, Misses, Stores, Evictions, Expiries, Removals, TooBig, Errors uint64
}

func countersOf(v [counterCount]uint64) Counters {
	return Counters{
		Hits: v[Hits], Misses: v[Misses], Stores: v[Stores], Evictions: v[Evictions],
		Expiries: v[Expiries], Removals: v[Removals], TooBig: v[TooBig], Errors: v[Errors],
	}
}

// Worker is what one process did since it opened the store.
type Worker struct {
	PID      int
	Started  int64 // unix seconds
	Live     bool
	Counters Counters
}

// Stats is what a store can say about itself.
type Stats struct {
	Total    Counters // over all workers that there ever were
	Workers  []Worker // those that are known one by one, dead ones until another takes their place
	Entries  uint64   // sessions
	Used     uint64   // bytes that they take up
	Capacity uint64   // bytes that they can take up
	Size     uint64   // bytes of the whole store
	Created  int64    // unix seconds
}

// Stats reads the counters, and every descriptor.
func (m *shmMap) Stats() Stats {
	st := Stats{
		Capacity: uint64(m.sets * m.units * wordSize),
		Size:     uint64(len(m.w) * wordSize),
		Created:  m.created,
	}
	st.Total, st.Workers = m.workers()
	for i := range m.sets {
		set := setsAt + i*m.setSize
		for slot := range m.slots {
			meta := m.load(m.metas(set) + slot)
			if isLive(meta) && m.sound(meta) && !isRoute(m.load(m.tags(set)+slot)) {
				st.Entries++
				st.Used += uint64(metaUnits(meta) * wordSize)
			}
		}
	}
	return st
}

// ShmReader reads what a shm store says about itself, from outside.
type ShmReader struct {
	m shmMap
}

// OpenShmReadOnly opens a mapping that need not be writable.
func OpenShmReadOnly(mapping []byte) (*ShmReader, error) {
	m, err := openMap(mapping)
	if err != nil {
		return nil, err
	}
	return &ShmReader{m}, nil
}

// Stats reads the counters, and every descriptor.
func (r *ShmReader) Stats() Stats { return r.m.Stats() }
