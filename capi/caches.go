package capi

// #include "glue.h"
import "C"

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// unhurried is the context of every call: the stores that there are wait for nobody.
var unhurried = context.Background()

// cache has a function for each operation that its kind of store has something to do for: shim.h says
// what.
type cache [C.GOSESS_OPERATIONS]func(*request)

// table numbers the open caches, from 1. A number is not used again, so one of a cache
// that was closed finds nothing. A process has one, or few.
type table struct {
	mu   sync.Mutex // serialises changes; readers load open
	open atomic.Pointer[[]numbered]
	last int
}

type numbered struct {
	number int
	cache  *cache
}

var caches table

func (t *table) all() []numbered {
	if open := t.open.Load(); open != nil {
		return *open
	}
	return nil
}

func (t *table) add(c *cache) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	open := append(slices.Clone(t.all()), numbered{t.last, c})
	t.open.Store(&open)
	return t.last
}

func (t *table) remove(number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	open := slices.DeleteFunc(slices.Clone(t.all()), func(n numbered) bool { return n.number == number })
	t.open.Store(&open)
}

func (t *table) get(number int) *cache {
	for _, n := range t.all() {
		if n.number == number {
			return n.cache
		}
	}
	return nil
}
