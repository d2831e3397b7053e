// Package capi is the Go half of gosess, of which cmd/gosess-core makes libgosess-core.so: the
// only place where C and Go meet.
//
// The rules of the boundary: a request comes in once, and goes out with its answer; a panic
// becomes a miss; no Go pointer is kept in C and no C memory in Go beyond a request; whatever needs
// libssl is done by the C half, before and after. What the exports promise is said in shim.h.
package capi

// #include "glue.h"
import "C"

import (
	"runtime"
	"runtime/debug"

	objects "gosess/sessioncache/live"
)

//export gosess_go_start
func gosess_go_start() (status C.int) {
	status = -1
	defer guard("start")
	enter()
	startThreads()
	objects.ReserveHeap()
	return 0
}

// gosess_go_serve serves a request. Where it panics the answer is the zero one, which is a miss,
// and what has left the cache by then is in it.
//
//export gosess_go_serve
func gosess_go_serve(r *C.gosess_request) {
	defer guard("serve")
	enter()
	serve(r)
}

// Whatever stops the world makes every processor idle that is not in Go.
//
//export gosess_go_make_room
func gosess_go_make_room() {
	defer guard("make_room")
	enter()
	var unused runtime.MemStats
	runtime.ReadMemStats(&unused)
}

// enter begins every export. A store's file that somebody truncates is then a panic
// here and not the end of the server.
func enter() {
	debug.SetPanicOnFault(true)
}
