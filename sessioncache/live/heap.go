package live

import "sync/atomic"

// A Go runtime ends its process where it is given no more memory, and under a limit (setrlimit(2))
// the rest of the process may have taken all of it. So there the heap is made as large at the start
// as it may become, and what grows with the sessions stops growing in time.

const (
	heapReserve  = 48 << 20
	heapSessions = heapReserve / 6 // what is kept of sessions: a collection may come as late as at twice that
	memoryHeap   = 8 << 10         // of a Memory that has had a session
)

// heap is what the Memories and Copies of this process take of the Go heap.
var heap struct {
	limited bool // set before anything is kept
	taken   atomic.Int64
}

// heapFull reports whether nothing more may be kept, and something must make way.
func heapFull() bool { return heap.limited && heap.taken.Load() > heapSessions }
