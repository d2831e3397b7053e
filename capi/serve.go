package capi

// #include "glue.h"
import "C"

import (
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

func serve(r *request) {
	if r.operation == C.GOSESS_OPEN {
		r.result = C.long(open(r))
		return
	}
	c := caches.get(int(r.cache))
	if c == nil {
		return
	}
	switch r.operation {
	case C.GOSESS_CLOSE:
		caches.remove(int(r.cache))
		c.drop(r, false)
	case C.GOSESS_CLEAR:
		c.drop(r, true)
	case C.GOSESS_COUNT:
		setStats(r.stats, c.stats())
	case C.GOSESS_NUMBER:
		c.number(r)
	case C.GOSESS_FLUSH:
		c.flush(r)
	case C.GOSESS_FORGET:
		c.forget(r)
	case C.GOSESS_SHARE:
		c.share(r)
	case C.GOSESS_KEEP:
		c.keep(r)
	case C.GOSESS_FIND:
		c.find(r)
	case C.GOSESS_LEARN:
		c.learn(r)
	case C.GOSESS_KEEP_COPY:
		c.keepCopy(r)
	case C.GOSESS_REMOVE:
		c.remove(r)
	case C.GOSESS_CHANGE:
		c.change(r)
	}
}

// open makes a cache of a source and returns its number, or -1 after it has logged why not.
func open(r *request) int {
	opened, err := makeCache(r.source)
	if err != nil {
		logError(C.GOSESS_CAUSE_STORE, "serving without a cache: open the store", err)
		return -1
	}
	return caches.add(opened)
}

func makeCache(source *C.gosess_const_source) (cache, error) {
	if source.mapping == nil {
		return newLive(int64(source.size)), nil
	}
	store, err := shm.Open(mappingOf(source))
	if err != nil {
		return nil, err
	}
	c, err := sessioncache.New(store, keysOf(source))
	if err != nil {
		return nil, err
	}
	leaveOutOfCoreDumps(c)
	return newSealed(store, store.Check, c, uint64(source.size)), nil
}
