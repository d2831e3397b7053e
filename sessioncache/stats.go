package sessioncache

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
