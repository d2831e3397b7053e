package shm

import (
	"math/rand/v2"
	"testing"

	"gosess/sessioncache"
)

// TestLRU compares a set with a list: entries of one size leave in the order of
// their last use.
func TestLRU(t *testing.T) {
	for _, test := range []struct {
		size  int
		clock uint64
	}{
		{184, 0},            // the data is full first
		{100, 0},            // the slots are
		{184, 1<<32 - 2000}, // the stamps wrap
	} {
		s := openShm(t, newMapping(MinSize))
		s.store(firstSet+setClock, test.clock)
		rng := rand.New(rand.NewPCG(1, test.clock))
		sealed := make([]byte, test.size)
		room := min(s.slots, s.units/unitsOf(len(sealed)))
		var order []int // from the least recently used
		var e sessioncache.Entry
		for n := range 3 * room {
			if len(order) == room {
				order = order[1:]
			}
			if err := s.Put(ctx, setKey(n), sealed, 2, 1); err != nil {
				t.Fatal(err)
			}
			order = append(order, n)
			find(s, setKey(n), &e) // else it counts as older than it is
			for range rng.IntN(3) {
				i := rng.IntN(len(order))
				if !find(s, setKey(order[i]), &e) {
					t.Fatalf("after %d: entry %d, number %d of %d, is gone", n, order[i], i, len(order))
				}
				order = append(append(order[:i:i], order[i+1:]...), order[i])
			}
		}
		if st := s.stats(); st.Entries != uint64(room) || st.Total[sessioncache.Evictions] != uint64(2*room) {
			t.Errorf("%d entries, %d evictions", st.Entries, st.Total[sessioncache.Evictions])
		}
		for _, n := range order {
			if !find(s, setKey(n), &e) {
				t.Errorf("entry %d is gone", n)
			}
		}
		checkStore(t, s)
	}
}

// TestDamagedDescriptors writes what no writer would, and lets a Put clear it up.
func TestDamagedDescriptors(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	var e sessioncache.Entry
	for n := range 10 {
		if err := s.Put(ctx, setKey(n), make([]byte, 100), 2, 1); err != nil {
			t.Fatal(err)
		}
	}
	at := s.metas(firstSet)
	first, second := 5, 6 // neighbours in the order of slots as well as of places
	if metaStart(s.load(at+first)) > metaStart(s.load(at+second)) {
		first, second = second, first
	}
	s.store(at+0, makeMeta(0, 0, 1))
	s.store(at+1, makeMeta(s.units-1, 9, 1))
	s.store(at+2, ^uint64(0))
	s.store(at+3, s.load(at+4))
	s.store(at+second, makeMeta(metaStart(s.load(at+first))+1, 100, 1))
	for n := range 3 {
		if find(s, setKey(n), &e) {
			t.Errorf("found entry %d", n)
		}
	}
	if err := s.Put(ctx, setKey(10), make([]byte, 100), 2, 1); err != nil {
		t.Fatal(err)
	}
	checkStore(t, s)
	if st := s.stats(); st.Total[sessioncache.Errors] != 5 || st.Entries != 6 {
		t.Errorf("stats: %+v", st)
	}
}

// TestExpiredFirst fills a set with some entries whose time is soon over: they make
// way before older ones whose time is not.
func TestExpiredFirst(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	sealed := make([]byte, 184)
	room := min(s.slots, s.units/unitsOf(len(sealed)))
	expires := func(n int) uint32 {
		if n%3 == 1 {
			return 10
		}
		return 100
	}
	for n := range room {
		if err := s.Put(ctx, setKey(n), sealed, expires(n), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(ctx, setKey(room), sealed, 100, 11); err != nil {
		t.Fatal(err)
	}
	var e sessioncache.Entry
	expired := uint64(0)
	for n := range room + 1 {
		gone := n < room && expires(n) == 10
		if gone {
			expired++
		}
		if find(s, setKey(n), &e) == gone {
			t.Errorf("entry %d is there: %v", n, !gone)
		}
	}
	if got := s.stats().Total; got[sessioncache.Expiries] != expired || got[sessioncache.Evictions] != 0 {
		t.Errorf("counters: %+v", got)
	}
}
