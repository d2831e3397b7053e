package main

// #include "glue.h"
import "C"

import (
	"runtime"
	"runtime/debug"

	"gosess/sessioncache"
)

// The calls of core.c, which has asked libssl all that it could before.

// enter begins every export. A store's file that somebody truncates is then a panic
// here and not the end of the server.
func enter() {
	debug.SetPanicOnFault(true)
}

//export gosess_go_start
func gosess_go_start() (status C.int) {
	status = -1
	defer guard("start")
	enter()
	startThreads()
	sessioncache.ReserveHeap()
	return 0
}

//export gosess_go_open
func gosess_go_open(source *C.gosess_const_source) (cache C.int) {
	cache = -1
	defer guard("open")
	enter()
	opened, err := open(source)
	if err != nil {
		logError(C.GOSESS_CAUSE_STORE, "serving without a cache: open the store", err)
		return cache
	}
	return C.int(caches.add(opened))
}

//export gosess_go_close
func gosess_go_close(cache C.int) {
	defer guard("close")
	enter()
	if c := caches.get(int(cache)); c != nil {
		caches.remove(int(cache))
		c.close()
	}
}

// The cache takes a reference of its own, or none. 1 where it was not stored already.
//
//export gosess_go_put
func gosess_go_put(record *C.struct_gosess_record) (added C.int) {
	defer guard("put")
	enter()
	if c := cacheOf(record.scope.context); c != nil && c.put(record) {
		added = 1
	}
	return added
}

//export gosess_go_add
func gosess_go_add(record *C.struct_gosess_record) (added C.int) {
	defer guard("add")
	enter()
	if c := cacheOf(record.scope.context); c != nil && c.add(record) {
		added = 1
	}
	return added
}

// What was found is in lookup.
//
//export gosess_go_get
func gosess_go_get(lookup *C.struct_gosess_lookup) {
	defer guard("get")
	enter()
	if c := cacheOf(lookup.scope.context); c != nil {
		c.get(lookup)
	}
}

//export gosess_go_keep
func gosess_go_keep(lookup *C.struct_gosess_lookup) {
	defer guard("keep")
	enter()
	if c, ok := cacheOf(lookup.scope.context).(*sealed); ok {
		c.keep(sealOf(lookup), &lookup.copy)
	}
}

//export gosess_go_remove
func gosess_go_remove(record *C.struct_gosess_record) {
	defer guard("remove")
	enter()
	if c := cacheOf(record.scope.context); c != nil {
		c.remove(record)
	}
}

//export gosess_go_number
func gosess_go_number(context *C.struct_gosess_context) (number C.long) {
	defer guard("number")
	enter()
	if c := cacheOf(context); c != nil {
		number = C.long(c.number(context))
	}
	return number
}

//export gosess_go_flush
func gosess_go_flush(context *C.struct_gosess_context, before C.int64_t) {
	defer guard("flush")
	enter()
	if c := cacheOf(context); c != nil {
		c.flush(context, int64(before))
	}
}

//export gosess_go_forget
func gosess_go_forget(context *C.struct_gosess_context) {
	defer guard("forget")
	enter()
	if c := cacheOf(context); c != nil {
		c.forget(context)
	}
}

//export gosess_go_clear
func gosess_go_clear(cache C.int) {
	defer guard("clear")
	enter()
	if c := caches.get(int(cache)); c != nil {
		c.clear()
	}
}

//export gosess_go_count
func gosess_go_count(cache C.int, counts *C.struct_gosess_counts) {
	defer guard("count")
	enter()
	if c := caches.get(int(cache)); c != nil {
		*counts = countsOf(c.stats())
	}
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
