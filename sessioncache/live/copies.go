package live

import (
	"container/list"
	"sync"
	"sync/atomic"

	"gosess/sessioncache"
)

// Copies keeps live objects of sessions that lie sealed in a store, because making one from
// its DER can take longer than all else that a resumption takes (P6). Only a thread that has just found
// a session in the store, by its seal, may ask for its copy: so what another process removes is
// not found here either. All methods are safe for concurrent use.
type Copies struct {
	ref  func(Object)
	room int64 // bytes

	any atomic.Bool // there may be some: most servers have none

	mu     sync.Mutex // protects what follows
	taken  int64
	bySeal map[sessioncache.Seal]*list.Element
	used   list.List // of *liveCopy, the most recently used one first
}

type liveCopy struct {
	seal   sessioncache.Seal
	object Object
	size   int64
}

// NewCopies makes an empty Copies that keeps so many bytes of objects. ref adds a reference
// to an object that Get returns.
func NewCopies(room int64, ref func(Object)) *Copies {
	return &Copies{ref: ref, room: room, bySeal: map[sessioncache.Seal]*list.Element{}}
}

// Get returns the copy of a session, with a reference for the caller, false where there is
// none.
func (c *Copies) Get(seal sessioncache.Seal) (Object, bool) {
	if !c.any.Load() {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.bySeal[seal]
	if e == nil {
		return 0, false
	}
	c.used.MoveToFront(e)
	object := e.Value.(*liveCopy).object
	c.ref(object)
	return object, true
}

// Put keeps a copy of so many bytes, with the reference that the caller had. It returns what is
// not kept, whose references are the caller's: those that made way, the least recently used
// ones; or this one, which fits in no room, or of which there is a copy.
func (c *Copies) Put(seal sessioncache.Seal, object Object, size int) (leaving []Object) {
	kept := &liveCopy{seal, object, int64(size) + entryOverhead}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bySeal[seal] != nil || kept.size > c.room || (c.used.Len() == 0 && heapFull()) {
		return []Object{object}
	}
	c.bySeal[seal] = c.used.PushFront(kept)
	c.any.Store(true)
	c.taken += kept.size
	heap.taken.Add(entryHeap)
	for c.taken > c.room || heapFull() {
		leaving = append(leaving, c.remove(c.used.Back()))
	}
	return leaving
}

// Drop stops keeping a copy, whose reference is the caller's, false where there is none.
func (c *Copies) Drop(seal sessioncache.Seal) (Object, bool) {
	if !c.any.Load() {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.bySeal[seal]
	if e == nil {
		return 0, false
	}
	return c.remove(e), true
}

// Clear stops keeping all of them, and returns them, with their references.
func (c *Copies) Clear() (leaving []Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.used.Len() > 0 {
		leaving = append(leaving, c.remove(c.used.Back()))
	}
	return leaving
}

func (c *Copies) remove(e *list.Element) Object {
	gone := c.used.Remove(e).(*liveCopy)
	delete(c.bySeal, gone.seal)
	c.taken -= gone.size
	heap.taken.Add(-entryHeap)
	return gone.object
}
