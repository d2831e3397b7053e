package capi

import (
	"sync"
	"sync/atomic"
)

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
