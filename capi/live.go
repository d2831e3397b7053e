package capi

// #include "glue.h"
import "C"

import (
	"sync"

	"gosess/sessioncache"
	objects "gosess/sessioncache/live"
)

// live is a store of live sessions in this process: what libssl's internal cache is,
// apart for each context.
type live struct {
	budget   *objects.Budget
	contexts sync.Map // *C.gosess_const_context to *objects.Memory
}

func newLive(size int64) *live {
	return &live{budget: objects.NewBudget(size)}
}

func (l *live) memory(context *C.gosess_const_context) *objects.Memory {
	if m, ok := l.contexts.Load(context); ok {
		return m.(*objects.Memory)
	}
	m, _ := l.contexts.LoadOrStore(context, objects.NewMemory(l.budget, retain))
	return m.(*objects.Memory)
}

// any reports whether there is any session.
func (l *live) any() bool { return l.budget.Any() }

// share has nothing to share with.
func (l *live) share(*request) {}

// learn has nothing to learn for: a session is asked for by its name, whatever that leads to.
func (l *live) learn(*request) {}

// change has nothing to change: the host has changed the object that is kept.
func (l *live) change(*request) {}

// keepCopy leaves the copy to the caller: there are no bytes that it could be of.
func (l *live) keepCopy(*request) {}

// keep takes the caller's reference (L16), and gives back those of what makes way.
func (l *live) keep(r *request) {
	added, leaving := l.memory(r.context).Put(objects.Session{
		ID:      idOf(r),
		Asked:   askedOf(r.scope),
		Expires: int64(r.expires),
		Size:    int(r.size),
		Object:  objectOf(r.session),
	}, int(r.limit))
	if added {
		r.result = 1
	}
	for _, gone := range leaving {
		isSilent := gone.Reason == objects.Replaced
		C.gosess_leave(r, sessionOf(gone.Object), C.bool(isSilent), C.bool(!isSilent))
	}
}

func (l *live) find(r *request) {
	m := l.memory(r.context)
	find := m.Get
	if r.take {
		find = m.Take
	}
	if object, ok := find(idOf(r), askedOf(r.scope)); ok {
		r.session = sessionOf(object)
	}
}

// The reference of what was removed may be the last, and the session is borrowed from
// whoever removes it: it is given back after the remove callback.
func (l *live) remove(r *request) {
	if object, ok := l.memory(r.context).Remove(idOf(r), func(stored objects.Object) bool {
		return sameObject(r, stored)
	}); ok {
		r.removed = true
		r.was = sessionOf(object)
	}
}

func (l *live) number(r *request) { r.result = C.long(l.memory(r.context).Len()) }

func (l *live) flush(r *request) { l.leave(r, int64(r.before)) }

// leave has the sessions of a context leave that end before a time, 0: all.
func (l *live) leave(r *request, before int64) {
	for _, object := range l.memory(r.context).Flush(before) {
		C.gosess_leave(r, sessionOf(object), false, false)
	}
}

func (l *live) forget(r *request) {
	l.leave(r, 0)
	l.contexts.Delete(r.context)
}

func (l *live) drop(r *request, _ bool) {
	l.contexts.Range(func(_, m any) bool {
		unused(r, m.(*objects.Memory).Flush(0)...)
		return true
	})
}

func (l *live) stats() sessioncache.Stats { return l.budget.Stats() }
