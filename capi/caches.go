package main

// #include "glue.h"
import "C"

import (
	"sync"
	"sync/atomic"

	"gosess/sessioncache"
)

// sessions is what the exports need of a cache, whichever store it has.
type sessions interface {
	// put stores a session and reports whether it was not stored already.
	put(record *C.struct_gosess_record) bool
	// add keeps the object itself, and reports whether it was not stored already.
	add(record *C.struct_gosess_record) bool
	// get fills in what it finds.
	get(lookup *C.struct_gosess_lookup)
	// remove tells the outcome if the session was stored.
	remove(record *C.struct_gosess_record)
	number(context *C.struct_gosess_context) int
	flush(context *C.struct_gosess_context, before int64)
	forget(context *C.struct_gosess_context)
	clear()
	// close gives every reference back; what processes share stays.
	close()
	stats() sessioncache.Stats
}

// table numbers the open caches, from 1. A number is not used again, so one of a cache
// that was closed finds nothing.
type table struct {
	mu   sync.Mutex // serialises changes; readers load all
	all  atomic.Pointer[map[int]sessions]
	last int
}

var caches table

func (t *table) change(change func(map[int]sessions)) {
	next := make(map[int]sessions)
	if now := t.all.Load(); now != nil {
		for number, s := range *now {
			next[number] = s
		}
	}
	change(next)
	t.all.Store(&next)
}

func (t *table) add(s sessions) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.change(func(all map[int]sessions) { all[t.last] = s })
	return t.last
}

func (t *table) remove(number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.change(func(all map[int]sessions) { delete(all, number) })
}

func (t *table) get(number int) sessions {
	if all := t.all.Load(); all != nil {
		return (*all)[number]
	}
	return nil
}

// cacheOf is the cache of a context, nil where it has none.
func cacheOf(context *C.struct_gosess_context) sessions {
	if context == nil {
		return nil
	}
	return caches.get(int(C.gosess_cache_of(context)))
}

func open(source *C.gosess_const_source) (sessions, error) {
	if source.mapping == nil {
		return newLive(int64(source.size)), nil
	}
	store, err := sessioncache.OpenShm(mappingOf(source))
	if err != nil {
		return nil, err
	}
	cache, err := sessioncache.New(store, keysOf(source))
	if err != nil {
		return nil, err
	}
	leaveOutOfCoreDumps(cache)
	return newSealed(store, cache, uint64(source.size)), nil
}
