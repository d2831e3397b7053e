package sessioncache

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
)

// A Go runtime ends its process where it is given no more memory, and under a limit (setrlimit(2))
// the rest of the process may have taken all of it. So there the heap is made as large at the start
// as it may become, and what grows with the sessions stops growing in time.

const (
	heapReserve  = 48 << 20
	heapBlock    = 8 << 10           // a span of the runtime's: it keeps what describes them too
	heapSessions = heapReserve / 6   // what is kept of sessions: a collection may come as late as at twice that
	entryHeap    = entryOverhead * 2 // of one, with what its map and its queue leave free
	memoryHeap   = 8 << 10           // of a Memory that has had a session
)

// heap is what the Memories and Copies of this process take of the Go heap.
var heap struct {
	limited bool // set before anything is kept
	taken   atomic.Int64
}

// heapFull reports whether nothing more may be kept, and something must make way.
func heapFull() bool { return heap.limited && heap.taken.Load() > heapSessions }

func isLimited(resource int) bool {
	const infinity = 1 << 62 // what is written where there is no limit differs
	var limit syscall.Rlimit
	return syscall.Getrlimit(resource, &limit) == nil && limit.Cur < infinity
}

// ReserveHeap takes what the heap will ever need, where memory is limited. Before anything else.
func ReserveHeap() {
	if !isLimited(syscall.RLIMIT_AS) && !isLimited(syscall.RLIMIT_DATA) {
		return
	}
	heap.limited = true
	if before := debug.SetGCPercent(100); before >= 0 && before < 100 {
		debug.SetGCPercent(before)
	}
	for range 2 {
		rehearse()
	}
}

// rehearse fills the heap with what it will hold, and lets go of it: the runtime gives pages back to
// the system, but never addresses.
func rehearse() {
	blocks := make([][]byte, heapReserve/heapBlock)
	for i := range blocks {
		blocks[i] = make([]byte, heapBlock)
	}
	runtime.GC()
	runtime.KeepAlive(blocks)
	blocks = nil
	runtime.GC()
	m := NewMemory(NewBudget(1<<40), func(Object) {})
	var id [32]byte
	for i := range heapSessions / entryHeap {
		id[0], id[1], id[2] = byte(i), byte(i>>8), byte(i>>16)
		m.Put(Live{ID: id[:], Object: Object(i + 1)}, 0)
	}
	runtime.GC()
	m.Flush(0)
	runtime.GC()
}
