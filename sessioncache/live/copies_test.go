package live

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"gosess/sessioncache"
)

// counted hands out objects and counts the references to them.
type counted struct{ refs [64]atomic.Int64 }

func (c *counted) ref(o Object) { c.refs[o].Add(1) }

func (c *counted) unref(objects ...Object) {
	for _, o := range objects {
		c.refs[o].Add(-1)
	}
}

func (c *counted) want(t *testing.T, o Object, refs int64) {
	t.Helper()
	if got := c.refs[o].Load(); got != refs {
		t.Errorf("object %d has %d references, want %d", o, got, refs)
	}
}

func seal(n byte) sessioncache.Seal { return sessioncache.Seal{n} }

func TestCopiesKeepReferences(t *testing.T) {
	var objects counted
	copies := NewCopies(1<<20, objects.ref)
	objects.ref(1)
	if leaving := copies.Put(seal(1), 1, 100); leaving != nil {
		t.Errorf("%v made way for the first", leaving)
	}
	objects.want(t, 1, 1)
	if got, ok := copies.Get(seal(1)); !ok || got != 1 {
		t.Errorf("Get: %d, %v", got, ok)
	}
	objects.want(t, 1, 2)
	if _, ok := copies.Get(seal(2)); ok {
		t.Error("another seal has a copy")
	}
	if leaving := copies.Put(seal(1), 2, 100); !slices.Equal(leaving, []Object{2}) { // two threads decoded it
		t.Errorf("%v made way for a second copy of one seal, want that", leaving)
	}
	if got, ok := copies.Drop(seal(1)); !ok || got != 1 {
		t.Errorf("Drop: %d, %v", got, ok)
	}
	objects.want(t, 1, 2) // both are the caller's now
	if _, ok := copies.Drop(seal(1)); ok {
		t.Error("it was dropped twice")
	}
}

func TestCopiesStayInTheirRoom(t *testing.T) {
	var objects counted
	copies := NewCopies(3*(1000+entryOverhead), objects.ref)
	for n := range Object(3) {
		copies.Put(seal(byte(n)), n, 1000)
	}
	copies.Get(seal(0))
	objects.unref(0)
	leaving := copies.Put(seal(3), 3, 1000)
	if !slices.Equal(leaving, []Object{1}) {
		t.Errorf("%v made way, want the least recently used one, 1", leaving)
	}
	if leaving := copies.Put(seal(4), 4, 3*(1000+entryOverhead)); !slices.Equal(leaving, []Object{4}) {
		t.Errorf("%v made way for what fits in no room, want that", leaving)
	}
	rest := copies.Clear()
	slices.Sort(rest)
	if !slices.Equal(rest, []Object{0, 2, 3}) {
		t.Errorf("Clear: %v", rest)
	}
	if leaving := copies.Put(seal(5), 5, 3*1000); leaving != nil {
		t.Errorf("%v made way in an empty one", leaving)
	}
}

// What comes back has the store's reference first: one must never be given away with none left.
func TestCopiesByThreads(t *testing.T) {
	var objects counted
	copies := NewCopies(4*(1000+entryOverhead), func(o Object) {
		if objects.refs[o].Add(1) < 1 {
			t.Errorf("object %d was given away after its last reference", o)
		}
	})
	var threads sync.WaitGroup
	for thread := range 4 {
		threads.Go(func() {
			for i := range 5000 {
				n := Object((i*7 + thread) % 16)
				if o, ok := copies.Get(seal(byte(n))); ok {
					if o != n {
						t.Errorf("seal %d: object %d", n, o)
					}
					objects.unref(o)
				} else {
					objects.ref(n)
					objects.unref(copies.Put(seal(byte(n)), n, 1000)...)
				}
				if i%9 == 0 {
					if o, ok := copies.Drop(seal(byte(n))); ok {
						objects.unref(o)
					}
				}
			}
		})
	}
	threads.Wait()
	objects.unref(copies.Clear()...)
	for n := range Object(16) {
		objects.want(t, n, 0)
	}
}
