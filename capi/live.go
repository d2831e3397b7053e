package capi

// #include "glue.h"
import "C"

import (
	"sync"
	"time"

	objects "gosess/sessioncache/live"
)

// live is a store of live sessions in this process: what libssl's internal cache is,
// apart for each context.
type live struct {
	budget  *objects.Budget
	records *objects.Records
	owners  sync.Map // *C.gosess_const_owner to *objects.Memory
}

func newLive(size int64) *live {
	return &live{
		budget:  objects.NewBudget(size),
		records: objects.NewRecords(func() int64 { return time.Now().Unix() }),
	}
}

// cache has nothing to share, nor bytes that a copy could be of; what a server name leads to need not be
// known, as a session is asked for by its name; and the host changes the object itself that is kept.
func (l *live) cache() *cache {
	return &cache{
		C.GOSESS_CLOSE:   l.drop,
		C.GOSESS_CLEAR:   l.drop,
		C.GOSESS_COUNT:   func(r *request) { setStats(r.stats, l.budget.Stats()) },
		C.GOSESS_NUMBER:  l.number,
		C.GOSESS_FLUSH:   l.flush,
		C.GOSESS_FORGET:  l.forget,
		C.GOSESS_KEEP:    l.keep,
		C.GOSESS_FIND:    l.find,
		C.GOSESS_REMOVE:  l.remove,
		C.GOSESS_EXPIRE:  func(*request) { _ = l.records.ExpireRecords(unhurried) }, // which cannot fail
		C.GOSESS_SECRETS: func(r *request) { readSecrets(r, l.records) },
	}
}

func (l *live) memory(owner *C.gosess_const_owner) *objects.Memory {
	if m, ok := l.owners.Load(owner); ok {
		return m.(*objects.Memory)
	}
	m, _ := l.owners.LoadOrStore(owner, objects.NewMemory(l.budget, retain))
	return m.(*objects.Memory)
}

// any reports whether there is any session.
func (l *live) any() bool { return l.budget.Any() }

// keep takes the caller's reference (L16), and gives back those of what makes way.
func (l *live) keep(r *request) {
	added, leaving := l.memory(r.owner).Put(objects.Session{
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
	m := l.memory(r.owner)
	find := m.Get
	if r.take {
		find = m.Take
	}
	if object, ok := find(idOf(r), askedOf(r.scope)); ok {
		r.session = sessionOf(object)
	}
}

// remove leaves the reference to the C half, which gives it back after the remove callback: it may be
// the last one, and the thread that removes the session has only borrowed it.
func (l *live) remove(r *request) {
	if object, ok := l.memory(r.owner).Remove(idOf(r), func(stored objects.Object) bool {
		return sameObject(r, stored)
	}); ok {
		r.removed = true
		r.was = sessionOf(object)
	}
}

func (l *live) number(r *request) { r.result = C.long(l.memory(r.owner).Len()) }

func (l *live) flush(r *request) { l.leave(r, int64(r.before)) }

// leave has the sessions of a context leave that end before a time, 0: all.
func (l *live) leave(r *request, before int64) {
	for _, object := range l.memory(r.owner).Flush(before) {
		C.gosess_leave(r, sessionOf(object), false, false)
	}
}

func (l *live) forget(r *request) {
	l.leave(r, 0)
	l.owners.Delete(r.owner)
}

// drop gives every reference back.
func (l *live) drop(r *request) {
	l.owners.Range(func(_, m any) bool {
		unused(r, m.(*objects.Memory).Flush(0)...)
		return true
	})
}
