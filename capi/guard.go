package capi

// #include "glue.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// guard ends every export: a panic becomes the export's zero answer, which is a miss.
// What panicked is named by its type alone unless it is the runtime's own error, whose
// text holds no data.
func guard(operation string) {
	p := recover()
	if p == nil {
		return
	}
	text := fmt.Sprintf("%T", p)
	if err, ok := p.(runtime.Error); ok {
		text = err.Error()
	}
	if _, ok := p.(interface{ Addr() uintptr }); ok { // runtime/debug.SetPanicOnFault
		text += " (has the file of the store been cut short?)"
	}
	logText(C.GOSESS_CAUSE_PANIC, operation+": "+text)
}

func logError(cause uint32, operation string, err error) {
	logText(cause, operation+": "+err.Error())
}

func logText(cause uint32, text string) {
	C.gosess_log_text(cause, (*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.size_t(len(text)))
}

// startThreads makes the threads that the Go runtime will want, before a host forbids new
// ones: a runtime that cannot start a thread aborts (S1). Each goroutine waits in C, on a
// thread that nobody else can have, until all of them do; the threads stay afterwards.
func startThreads() {
	const n = C.GOSESS_PROCESSORS + C.GOSESS_SPARE_THREADS
	runtime.GOMAXPROCS(n + 1)
	var ended sync.WaitGroup
	for range n {
		// Go unblocks SIGPROF and the like in its own threads, where a handler of the
		// host would run on a goroutine's stack.
		ended.Go(func() { C.gosess_settle_thread(n) })
	}
	ended.Wait()
	// The poller's descriptors, which the first timer makes, while the host's are held
	// (shim/core/state.c).
	time.AfterFunc(time.Hour, func() {}).Stop()
	// Stops the world, which waits for threads that are still being made.
	runtime.GOMAXPROCS(C.GOSESS_PROCESSORS)
}
