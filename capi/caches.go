package capi

// #include "glue.h"
import "C"

import (
	"sync"
	"sync/atomic"
)

// cache has a function for each operation that its kind of store has something to do for: shim.h says
// what.
type cache [C.GOSESS_OPERATIONS]func(*request)

// table numbers the open caches, from 1. A number is not used again, so one of a cache
// that was closed finds nothing.
type table struct {
	mu   sync.Mutex // serialises changes; readers load all
	all  atomic.Pointer[map[int]*cache]
	last int
}

var caches table

func (t *table) change(change func(map[int]*cache)) {
	next := make(map[int]*cache)
	if now := t.all.Load(); now != nil {
		for number, c := range *now {
			next[number] = c
		}
	}
	change(next)
	t.all.Store(&next)
}

func (t *table) add(c *cache) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.change(func(all map[int]*cache) { all[t.last] = c })
	return t.last
}

func (t *table) remove(number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.change(func(all map[int]*cache) { delete(all, number) })
}

func (t *table) get(number int) *cache {
	if all := t.all.Load(); all != nil {
		return (*all)[number]
	}
	return nil
}
