package shm

import (
	"sync/atomic"
	"time"

	"gosess/sessioncache"
)

// writer is a process that writes to a mapping.
type writer struct {
	layout
	pid      uint64
	worker   int // position of this process's worker slot
	ticket   atomic.Uint32
	patience time.Duration // with the holder of a lock
	pause    func()        // between two looks at it
}

func (w *writer) count(c sessioncache.Counter) { w.add(w.worker+workerCounts+int(c), 1) }

// token is what this process puts into a lock: its pid and a number that no other
// writer of it uses at the time.
func (w *writer) token() uint64 { return w.pid<<32 | uint64(w.ticket.Add(1)) }
