package main

// #include "glue.h"
import "C"

import "runtime/debug"

// enter begins every export. A store's file that somebody truncates is then a panic
// here and not the end of the server.
func enter() {
	debug.SetPanicOnFault(true)
}

//export gosess_core_start
func gosess_core_start(start *C.gosess_const_start) (status C.int) {
	status = -1
	defer guard("start")
	enter()
	if !C.gosess_glue_start(start) {
		return status
	}
	startThreads()
	return 0
}

//export gosess_core_open
func gosess_core_open(source *C.gosess_const_source) (cache C.int) {
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

//export gosess_core_close
func gosess_core_close(cache C.int) {
	defer guard("close")
	enter()
	caches.remove(int(cache))
}

// The cache takes a reference of its own, or none: the one that libssl took for the
// callback stays libssl's (L16).
//
//export gosess_core_new_session
func gosess_core_new_session(ssl *C.SSL, session *C.SSL_SESSION) (kept C.int) {
	defer guard("new_session")
	enter()
	var record C.struct_gosess_record
	if !C.gosess_record_new(ssl, session, &record) {
		return 0
	}
	if c := cacheOf(record.context); c != nil {
		c.put(session, &record)
	}
	return 0
}

// The one reference of the object goes to libssl: copy is 0 (L17).
//
//export gosess_core_get_session
func gosess_core_get_session(ssl *C.SSL, id *C.gosess_const_uchar, length C.int, keep *C.int) (session *C.SSL_SESSION) {
	defer guard("get_session")
	enter()
	var lookup C.struct_gosess_lookup
	if !C.gosess_lookup_begin(ssl, id, length, &lookup) {
		return nil
	}
	found := lookup.claimed
	if c := cacheOf(lookup.context); found == nil && c != nil {
		found = c.get(&lookup, id, length)
	}
	session = C.gosess_lookup_end(ssl, &lookup, id, length, found)
	if session != nil {
		*keep = 0
	}
	return session
}

// The session is borrowed (L19).
//
//export gosess_core_remove_session
func gosess_core_remove_session(ctx *C.SSL_CTX, session *C.SSL_SESSION) {
	defer guard("remove_session")
	enter()
	var record C.struct_gosess_record
	if !C.gosess_record_of(ctx, session, &record) {
		return
	}
	if c := cacheOf(record.context); c != nil {
		c.remove(session, &record)
	}
}

//export gosess_core_add_session
func gosess_core_add_session(ctx *C.SSL_CTX, session *C.SSL_SESSION) (added C.int) {
	defer guard("add_session")
	enter()
	var record C.struct_gosess_record
	if !C.gosess_record_of(ctx, session, &record) {
		return 0
	}
	if c := cacheOf(record.context); c != nil && c.put(session, &record) {
		return 1
	}
	return 0
}

//export gosess_core_number
func gosess_core_number(ctx *C.SSL_CTX) (number C.long) {
	defer guard("number")
	enter()
	context := C.gosess_context_of(ctx)
	if c := cacheOf(context); c != nil {
		number = C.long(c.number(context))
	}
	return number
}

//export gosess_core_flush
func gosess_core_flush(ctx *C.SSL_CTX, before C.int64_t) {
	defer guard("flush")
	enter()
	context := C.gosess_context_of(ctx)
	if c := cacheOf(context); c != nil {
		c.flush(context, int64(before))
	}
}

//export gosess_core_forget
func gosess_core_forget(ctx *C.SSL_CTX) {
	defer guard("forget")
	enter()
	context := C.gosess_context_of(ctx)
	if c := cacheOf(context); c != nil {
		c.forget(context)
	}
}

//export gosess_core_clear
func gosess_core_clear(cache C.int) {
	defer guard("clear")
	enter()
	if c := caches.get(int(cache)); c != nil {
		c.clear()
	}
}

//export gosess_core_count
func gosess_core_count(cache C.int, counts *C.struct_gosess_counts) {
	defer guard("count")
	enter()
	if c := caches.get(int(cache)); c != nil {
		*counts = countsOf(c.stats())
	}
}
