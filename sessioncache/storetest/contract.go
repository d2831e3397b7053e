package storetest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"gosess/sessioncache"
)

// The tests of this file call a store as a cache does, and say what is asked of one.

// key is the n-th lookup key, of a session or of a route.
func key(n int, route bool) *sessioncache.LookupKey {
	k := sessioncache.LookupKey(ID(n)[:len(sessioncache.LookupKey{})])
	k[sessioncache.RouteByte] &^= sessioncache.RouteBit
	if route {
		k[sessioncache.RouteByte] |= sessioncache.RouteBit
	}
	return &k
}

// sealed is an entry of an owner that says which one it is.
func sealed(owner byte, n, size int) []byte {
	return append([]byte{owner, 0, 0, 0}, DER(ID(n), 0, size)...)
}

func put(t testing.TB, s sessioncache.Store, k *sessioncache.LookupKey, sealed []byte, expires uint32) {
	t.Helper()
	if err := s.Put(ctx, k, sealed, expires, Now); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func find(t testing.TB, s sessioncache.Store, k *sessioncache.LookupKey, e *sessioncache.Entry) bool {
	t.Helper()
	found, err := s.Find(ctx, k, e)
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	if found == (e.Handle == sessioncache.Handle{}) {
		t.Fatalf("Find: %v, with handle %v", found, e.Handle)
	}
	return found
}

func drop(t testing.TB, s sessioncache.Store, e *sessioncache.Entry) bool {
	t.Helper()
	dropped, err := s.Drop(ctx, e)
	if err != nil {
		t.Fatalf("Drop: %v", err)
	}
	return dropped
}

func stats(t testing.TB, s interface {
	Stats(context.Context) (sessioncache.Stats, error)
}) sessioncache.Stats {
	t.Helper()
	st, err := s.Stats(ctx)
	if err != nil {
		t.Fatalf("Stats: %v", err)
	}
	return st
}

func testFind(t *testing.T, empty Empty) {
	open := empty(t)
	one, other := open(t), open(t)
	if one.ID() != other.ID() || one.ID() == (sessioncache.StoreID{}) {
		t.Errorf("ids %x and %x", one.ID(), other.ID())
	}
	e := sessioncache.Entry{Handle: sessioncache.Handle{1, 1}}
	if find(t, one, key(1, false), &e) || drop(t, one, &e) {
		t.Error("an empty store has something")
	}
	for n, size := range []int{1, 200, sessioncache.MaxSealed - 4, 3, 100} {
		what := sealed('a', n, size)
		given := bytes.Clone(what)
		put(t, one, key(n, false), given, uint32(Now+n))
		clear(given) // the store keeps none of it
		for _, s := range []sessioncache.Store{one, other} {
			if !find(t, s, key(n, false), &e) || !bytes.Equal(e.Sealed, what) || e.Expires != uint32(Now+n) {
				t.Errorf("%d bytes: found %d, which end at %d", len(what), len(e.Sealed), e.Expires)
			}
		}
	}
	// Who asks decides what has expired.
	put(t, one, key(9, false), sealed('a', 9, 100), Now)
	for _, spent := range []bool{true, false} {
		e.Spent = spent
		if !find(t, one, key(9, false), &e) || e.Expires != Now {
			t.Error("what has expired is not found")
		}
	}
	if find(t, one, key(9, true), &e) {
		t.Error("a session is found as a route")
	}
}

func testReplace(t *testing.T, empty Empty) {
	open := empty(t)
	one, other := open(t), open(t)
	var before, after sessioncache.Entry
	put(t, one, key(1, false), sealed('a', 1, 100), Now)
	find(t, one, key(1, false), &before)
	put(t, other, key(1, false), sealed('a', 1, 100), Now) // the very same
	if !find(t, one, key(1, false), &after) || before.Handle == after.Handle {
		t.Error("what took its place looks the same")
	}
	if drop(t, one, &before) || !find(t, other, key(1, false), &after) {
		t.Error("what took its place was dropped")
	}
	clear(after.Sealed[4+len(sessioncache.Seal{}):]) // as it is when it was opened
	if !drop(t, other, &after) || find(t, one, key(1, false), &before) {
		t.Error("it was not dropped")
	}
	if drop(t, other, &after) {
		t.Error("it was dropped twice")
	}
}

func testSwap(t *testing.T, empty Empty) {
	s := empty(t)(t)
	swap := func(e *sessioncache.Entry, version int, want error) {
		t.Helper()
		e.Sealed = append(e.Sealed[:0], sealed('a', version, 100)...)
		if err := s.Swap(ctx, key(1, true), e, Now, Now); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("Swap: %v, want %v", err, want)
		}
	}
	var first, now sessioncache.Entry
	swap(&first, 1, nil)
	swap(&first, 2, sessioncache.ErrChanged) // there is something
	find(t, s, key(1, true), &first)
	swap(&first, 3, nil)
	swap(&first, 4, sessioncache.ErrChanged) // it is another
	if !find(t, s, key(1, true), &now) || !bytes.Equal(now.Sealed, sealed('a', 3, 100)) {
		t.Error("not what was swapped in")
	}
	put(t, s, key(1, true), sealed('a', 5, 100), Now)
	swap(&now, 6, sessioncache.ErrChanged)
	find(t, s, key(1, true), &now)
	drop(t, s, &now)
	swap(&now, 7, sessioncache.ErrChanged) // it is gone
	now.Handle = sessioncache.Handle{}
	swap(&now, 8, nil)
}

// testDropOnce has several drop what all have found.
func testDropOnce(t *testing.T, empty Empty) {
	s := empty(t)(t)
	for n := range 50 * Thorough {
		put(t, s, key(n, false), sealed('a', n, 100), Now)
		var e sessioncache.Entry
		find(t, s, key(n, false), &e)
		var dropped atomic.Int32
		var threads sync.WaitGroup
		for range 4 {
			mine := e
			threads.Go(func() {
				if drop(t, s, &mine) {
					dropped.Add(1)
				}
			})
		}
		threads.Wait()
		if dropped.Load() != 1 {
			t.Fatalf("it was dropped %d times", dropped.Load())
		}
	}
}

func testFlushAndNumber(t *testing.T, empty Empty) {
	open := empty(t)
	one, other := open(t), open(t)
	const each = 20
	for n := range each {
		put(t, one, key(n, false), sealed('a', n, 100), uint32(Now+n))
		put(t, one, key(100+n, false), sealed('b', n, 100), uint32(Now+n))
		put(t, one, key(n, true), sealed('a', n, 100), uint32(Now+n))
	}
	number := func(owner byte, want int) {
		t.Helper()
		if n, err := other.Number(ctx, &sessioncache.Tag{owner}); n != want || err != nil {
			t.Errorf("%d sessions of %c, %v, want %d", n, owner, err, want)
		}
	}
	flush := func(owner *sessioncache.Tag, before uint32) {
		t.Helper()
		if err := one.Flush(ctx, owner, before); err != nil {
			t.Errorf("Flush: %v", err)
		}
	}
	number('a', each)
	flush(&sessioncache.Tag{'a'}, Now+5)
	number('a', each-5)
	number('b', each)
	number('c', 0)
	flush(&sessioncache.Tag{'a'}, 0)
	number('a', 0)
	flush(nil, Now+1)
	number('b', each-1)
	flush(nil, 0)
	number('b', 0)
	if st := stats(t, other); st.Entries != 0 || st.Total != (sessioncache.Counters{sessioncache.Removals: 2 * each}) {
		t.Errorf("stats: %+v", st)
	}
	var e sessioncache.Entry
	for n := range each {
		if !find(t, other, key(n, true), &e) {
			t.Error("a route was flushed")
		}
	}
}

func testStats(t *testing.T, empty Empty) {
	open := empty(t)
	one, other := open(t), open(t)
	if st := stats(t, one); st.Entries != 0 || st.Used != 0 || st.Capacity == 0 || st.Size < st.Capacity || st.Created == 0 {
		t.Errorf("stats of an empty store: %+v", st)
	}
	var want sessioncache.Counters
	for c := range want {
		for range c + 1 {
			one.Count(sessioncache.Counter(c))
			other.Count(sessioncache.Counter(c))
			want[c] += 2
		}
	}
	put(t, one, key(1, false), sealed('a', 1, 100), Now)
	put(t, one, key(2, false), sealed('a', 2, 100), Now)
	put(t, one, key(3, true), sealed('a', 3, 100), Now)
	st := stats(t, other)
	if st.Total != want || st.Entries != 2 || st.Used < 200 || st.Used > st.Capacity {
		t.Errorf("stats: %+v", st)
	}
}
