package main

// #include "glue.h"
import "C"

import (
	"sync"

	"gosess/sessioncache"
)

// live is a store of live sessions in this process: what libssl's internal cache is,
// apart for each context.
type live struct {
	budget   *sessioncache.Budget
	contexts sync.Map // *C.struct_gosess_context to *sessioncache.Memory
}

func newLive(size int64) *live {
	return &live{budget: sessioncache.NewBudget(size)}
}

func (l *live) memory(context *C.struct_gosess_context) *sessioncache.Memory {
	if m, ok := l.contexts.Load(context); ok {
		return m.(*sessioncache.Memory)
	}
	m, _ := l.contexts.LoadOrStore(context, sessioncache.NewMemory(l.budget, ref))
	return m.(*sessioncache.Memory)
}

// any reports whether there is any session.
func (l *live) any() bool { return l.budget.Any() }

// put takes a reference for the cache (L16), and gives back those of what makes way.
func (l *live) put(record *C.struct_gosess_record) bool {
	session, context := record.session, record.scope.context
	C.gosess_cap(session, record.expires)
	C.gosess_ref(session)
	added, leaving := l.memory(context).Put(sessioncache.Live{
		ID:      bytesOf(record.id, C.int(record.id_length)),
		Asked:   askedOf(&record.scope),
		Expires: int64(record.expires),
		Size:    int(C.gosess_live_size(session, record.scope.chain)),
		Object:  objectOf(session),
	}, int(C.gosess_limit_of(context)))
	if !added {
		C.gosess_unref(session) // not the last: the caller has one
	}
	for _, gone := range leaving {
		if gone.Reason == sessioncache.Replaced {
			C.gosess_outcome_unused(sessionOf(gone.Object))
		} else {
			C.gosess_outcome_leaving(sessionOf(gone.Object), true)
		}
	}
	return added
}

func (l *live) add(record *C.struct_gosess_record) bool { return l.put(record) }

func (l *live) get(lookup *C.struct_gosess_lookup) {
	m := l.memory(lookup.scope.context)
	find := m.Get
	if lookup.take {
		find = m.Take
	}
	if object, ok := find(bytesOf(lookup.id, lookup.id_length), askedOf(&lookup.scope)); ok {
		lookup.session = sessionOf(object)
	}
}

// The reference of what was removed may be the last, and the session is borrowed from
// whoever removes it: it is given back after the remove callback.
func (l *live) remove(record *C.struct_gosess_record) {
	id := bytesOf(record.id, C.int(record.id_length))
	if object, ok := l.memory(record.scope.context).Remove(id, func(stored sessioncache.Object) bool {
		return bool(C.gosess_same_live(record.session, sessionOf(stored)))
	}); ok {
		C.gosess_outcome_removed(sessionOf(object))
	}
}

func (l *live) number(context *C.struct_gosess_context) int { return l.memory(context).Len() }

func (l *live) flush(context *C.struct_gosess_context, before int64) {
	for _, object := range l.memory(context).Flush(before) {
		C.gosess_outcome_leaving(sessionOf(object), false)
	}
}

func (l *live) forget(context *C.struct_gosess_context) {
	l.flush(context, 0)
	l.contexts.Delete(context)
}

func (l *live) clear() {
	l.contexts.Range(func(_, m any) bool {
		unused(m.(*sessioncache.Memory).Flush(0))
		return true
	})
}

func (l *live) close() { l.clear() }

func (l *live) stats() sessioncache.Stats { return l.budget.Stats() }
