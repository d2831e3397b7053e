package capi

import (
	"sync"
	"sync/atomic"

	"gosess/sessioncache"
)

// cache is what requests need of a cache, whichever store it has: shim.h says what each does.
type cache interface {
	share(r *request)
	keep(r *request)
	find(r *request)
	learn(r *request)
	keepCopy(r *request)
	remove(r *request)
	change(r *request)
	number(r *request)
	flush(r *request)
	forget(r *request)
	// drop gives every reference back. What processes share goes too where all is to go.
	drop(r *request, all bool)
	stats() sessioncache.Stats
}

// table numbers the open caches, from 1. A number is not used again, so one of a cache
// that was closed finds nothing.
type table struct {
	mu   sync.Mutex // serialises changes; readers load all
	all  atomic.Pointer[map[int]cache]
	last int
}

var caches table

func (t *table) change(change func(map[int]cache)) {
	next := make(map[int]cache)
	if now := t.all.Load(); now != nil {
		for number, c := range *now {
			next[number] = c
		}
	}
	change(next)
	t.all.Store(&next)
}

func (t *table) add(c cache) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.change(func(all map[int]cache) { all[t.last] = c })
	return t.last
}

func (t *table) remove(number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.change(func(all map[int]cache) { delete(all, number) })
}

func (t *table) get(number int) cache {
	if all := t.all.Load(); all != nil {
		return (*all)[number]
	}
	return nil
}
