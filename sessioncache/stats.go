package sessioncache

// Worker is what one process did since it opened the store.
type Worker struct {
	PID      int
	Started  int64 // unix seconds
	Live     bool
	Versions Versions
	Counters Counters
}

// IsServer says whether it has a libssl: an agent has none, nor has a command that changes the store.
func (w *Worker) IsServer() bool { return w.Versions.Libssl != 0 }

// IsAgent says whether it is the agent of a fleet.
func (w *Worker) IsAgent() bool { return w.Versions.Libssl == 0 && w.Versions.Gosess != 0 }

// Context is what was counted for one SSL_CTX by the processes that have it.
type Context struct {
	Owner    Tag
	Label    string // its certificate's name; empty where it had none
	Started  int64  // unix seconds: when the first of them began to count
	Workers  []int  // their pids, those of dead ones too
	Live     bool   // one of them is
	Counters Counters
}

// Secret is one that tickets are sealed under, as far as a store shows it to a reader without a key.
type Secret struct {
	Made  int64 // unix seconds: since when the store has it
	Ends  int64 // unix seconds: the last one in which it may be used
	Tally Tally
}

// Agent is what the store of a fleet says of the agent of its machine, and of what servers have asked it since the store was made.
type Agent struct {
	Serves   bool // there is one
	GateOpen bool // handshakes may wait for it

	Waiting uint64 // handshakes that wait now
	Queue   uint64 // news that the agent has not delivered

	Hits, Misses, Failures, Timeouts, Crowded, Robbed uint64 // how what was asked has ended
	Reclaimed, Overrun, Torn                          uint64 // places that nobody gave back; news that was lost
}

// Stats is what a store can say about itself.
type Stats struct {
	Total    Counters // over all workers that there ever were
	Workers  []Worker // those that are known one by one, dead ones until another takes their place
	Contexts []Context
	Secrets  []Secret                  // the oldest first
	Latency  [OperationCount]Histogram // of a part of all
	Agent    *Agent                    // nil where the store is that of one machine
	Entries  uint64                    // sessions
	Used     uint64                    // bytes that they take up
	Capacity uint64                    // bytes that they can take up
	Oldest   int64                     // unix seconds: when the oldest session was stored, to some percent of its life; 0: there is none
	Size     uint64                    // bytes of the whole store
	Created  int64                     // unix seconds
}
