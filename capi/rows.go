package capi

// #include "glue.h"
import "C"

import (
	"sync"
	"sync/atomic"

	"gosess/sessioncache"
)

// rows are where is counted what is asked for contexts. Most servers ask for one at a time, and mostly for the same.
type rows struct {
	all        sync.Map // *C.gosess_const_owner to *row
	last       atomic.Pointer[row]
	generation atomic.Uint32 // what was found in an earlier one is another by now
}

// row is that of a context, as long as its owner lives.
type row struct {
	owner      *C.gosess_const_owner
	generation uint32
	is         sessioncache.Row
}

// of returns the row of a context, which find finds where nobody has asked for that context. Of two threads both find the same.
func (r *rows) of(owner *C.gosess_const_owner, find func() sessioncache.Row) sessioncache.Row {
	generation := r.generation.Load()
	if last := r.last.Load(); last != nil && last.owner == owner && last.generation == generation {
		return last.is
	}
	known, _ := r.all.Load(owner)
	its, ok := known.(*row)
	if !ok || its.generation != generation {
		its = &row{owner, generation, find()}
		r.all.Store(owner, its)
	}
	r.last.Store(its)
	return its.is
}

// forget is for an owner that is about to end: another one may come to lie at its address.
func (r *rows) forget(owner *C.gosess_const_owner) {
	r.all.Delete(owner)
	r.last.Store(nil)
}

// renew has all found anew.
func (r *rows) renew() { r.generation.Add(1) }
