package main

// #include "glue.h"
import "C"

import (
	"runtime/debug"

	"gosess/sessioncache"
)

// cache is set by gosess_core_start, before any of the callbacks can be called.
var cache *sessioncache.Cache

// enter begins every export. A store's file that somebody truncates is then a panic
// here and not the end of the server.
func enter() {
	debug.SetPanicOnFault(true)
}

//export gosess_core_start
func gosess_core_start(start *C.gosess_const_start) (status C.int) {
	status = -1
	C.gosess_glue_start(start)
	defer guard("start")
	enter()
	store, err := sessioncache.OpenShm(mappingOf(start))
	if err != nil {
		logError(C.GOSESS_CAUSE_STORE, "serving without a cache: open the shm store", err)
		return status
	}
	cache, err = sessioncache.New(store, keysOf(start))
	if err != nil {
		logError(C.GOSESS_CAUSE_STORE, "serving without a cache: use the sealing keys", err)
		return status
	}
	startThreads()
	return 0
}

// Bytes are stored, not the object: the reference stays libssl's (L16).
//
//export gosess_core_new_session
func gosess_core_new_session(ssl *C.SSL, session *C.SSL_SESSION) (kept C.int) {
	defer guard("new_session")
	enter()
	var record C.struct_gosess_record
	defer C.gosess_record_free(&record)
	if C.gosess_record_new(ssl, session, &record) {
		// A session that cannot be stored is counted by the cache; the handshake goes on.
		_ = cache.Put(originOf(&record.origin), sessionOf(&record))
	}
	return 0
}

// A fresh object's one reference goes to libssl: copy is 0 (L17).
//
//export gosess_core_get_session
func gosess_core_get_session(ssl *C.SSL, id *C.gosess_const_uchar, length C.int, keep *C.int) (session *C.SSL_SESSION) {
	defer guard("get_session")
	enter()
	var origin C.struct_gosess_origin
	if !C.gosess_origin_get(ssl, &origin) {
		return nil
	}
	buffer := buffers.Get().(*[]byte)
	defer wipe(buffer)
	der, expires, ok := cache.Get(originOf(&origin), bytesOf(id, length), (*buffer)[:0])
	*buffer = der
	if !ok {
		return nil
	}
	session = decode(ssl, der, id, length, expires)
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
	if !C.gosess_record_removed(ctx, session, &record) {
		return
	}
	cache.Remove(contextOf(&record.origin), sessionOf(&record).ID, func(der []byte) bool {
		return sameSession(session, der)
	})
}
