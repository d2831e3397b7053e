package live

import (
	"runtime"
	"runtime/debug"
	"syscall"
)

const heapBlock = 8 << 10 // a span of the runtime's: it keeps what describes them too

func isLimited(resource int) bool {
	const infinity = 1 << 62 // systems write different numbers for "no limit", all of them larger
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
		m.Put(Session{ID: id[:], Object: Object(i + 1)}, 0)
	}
	runtime.GC()
	m.Flush(0)
	runtime.GC()
}
