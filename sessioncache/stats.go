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
	Entries  uint64
	Used     uint64 // bytes that entries take up
	Capacity uint64 // bytes that entries can take up
	Size     uint64 // bytes of the whole store
	Created  int64  // unix seconds
}
