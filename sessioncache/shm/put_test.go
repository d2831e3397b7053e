package shm

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gosess/sessioncache"
)

// known is what the test of who makes way knows of an entry.
type known struct {
	n     int
	stamp uint64
	use   uint64
}

// TestWhoMakesWay compares the groups of a key with a list: who was not used for longest leaves, with what new, spent and often
// used ones count more or less.
func TestWhoMakesWay(t *testing.T) {
	const room = keyGroups * groupSlots
	for _, clock := range []uint64{0, 1<<29 - 2000, 1<<32 - 2000, 1<<64 - 2000} { // the stamps wrap
		s := openShm(t, newMapping(MinSize))
		s.store(firstSet+setClock, clock)
		rng := rand.New(rand.NewPCG(1, clock))
		var list []known
		var e sessioncache.Entry
		seen := [uses]int{}
		for n := range 100 * room {
			if err := s.Put(ctx, groupKey(n), make([]byte, 100), 2, 1); err != nil {
				t.Fatal(err)
			}
			if len(list) == room {
				gone := slices.IndexFunc(list, func(k known) bool { return !isThere(s, groupKey(k.n)) })
				age := func(k known) uint64 { return clock - k.stamp + uint64(older[k.use]) }
				for _, k := range list {
					if gone < 0 || age(k) > age(list[gone]) {
						t.Fatalf("after %d: number %d is gone, entry %d is older, use %d", n, gone, k.n, k.use)
					}
				}
				seen[list[gone].use]++
				list = slices.Delete(list, gone, gone+1)
			}
			clock++
			list = append(list, known{n, clock, fresh})
			for range rng.IntN(4) {
				k := &list[rng.IntN(len(list))]
				if e.Spent = rng.IntN(3) == 0; !find(s, groupKey(k.n), &e) {
					t.Fatalf("after %d: entry %d is gone, use %d", n, k.n, k.use)
				}
				clock++
				switch {
				case e.Spent && k.use == fresh:
					k.use = spent
				case k.use < used:
					k.use = used
				case clock-k.stamp > absence && k.use < often:
					k.use++
				}
				k.stamp = clock
			}
			if clock%50 == 0 { // others are used for long
				s.add(firstSet+setClock, 1000)
				clock += 1000
			}
		}
		for use, n := range seen {
			if n == 0 {
				t.Errorf("none with use %d made way", use)
			}
		}
		if st := s.stats(); st.Entries != room || st.Total[sessioncache.Evictions] != 99*room {
			t.Errorf("%d entries, %d evictions", st.Entries, st.Total[sessioncache.Evictions])
		}
		checkStore(t, s)
	}
}

// TestDamagedSlots writes what no writer would, and lets puts clear it up.
func TestDamagedSlots(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	var e sessioncache.Entry
	for n := range 10 {
		if err := s.Put(ctx, groupKey(n), make([]byte, 100), 2, 1); err != nil || !find(s, groupKey(n), &e) {
			t.Fatal(err)
		}
	}
	at := func(n int) int { return placeIn(s, groupKey(n)) }
	first, second := at(5), at(6)
	if slotStart(s.load(first)) > slotStart(s.load(second)) {
		first, second = second, first
	}
	same, as := at(3), at(4)
	s.store(at(0), makeSlot(makePlace(0, 0), 1, 1))
	s.store(at(1), makeSlot(makePlace(s.units-1, 9), 2, 1))
	s.store(at(2), ^uint64(0))
	s.store(same, s.load(as))
	s.store(second, makeSlot(makePlace(slotStart(s.load(first))+1, 100), 1, 1))
	for n := range 3 {
		if find(s, groupKey(n), &e) {
			t.Errorf("found entry %d", n)
		}
	}
	if err := s.Put(ctx, groupKey(10), make([]byte, 100), 2, 1); err != nil {
		t.Fatal(err)
	}
	// Of what was there, three could be no entries, the last of them not even a session that is no more.
	if st := s.stats(); st.Total[sessioncache.Errors] != 2 {
		t.Errorf("stats: %+v", st)
	}
	if err := s.Put(ctx, setKey(1<<20), make([]byte, 3000), 2, 1); err != nil { // has all of the set looked at
		t.Fatal(err)
	}
	checkStore(t, s)
	if st := s.stats(); st.Total[sessioncache.Errors] != 4 || st.Entries != 7 {
		t.Errorf("stats: %+v", st)
	}
}

// TestExpiredFirst fills the groups of a key with some entries whose time is soon over: they make
// way before older ones whose time is not.
func TestExpiredFirst(t *testing.T) {
	const room = keyGroups * groupSlots
	s := openShm(t, newMapping(MinSize))
	expires := func(n int) uint32 {
		if n%3 == 1 {
			return 10
		}
		return 100
	}
	for n := range room {
		if err := s.Put(ctx, groupKey(n), make([]byte, 184), expires(n), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(ctx, groupKey(room), make([]byte, 184), 100, 11); err != nil {
		t.Fatal(err)
	}
	var e sessioncache.Entry
	expired := uint64(0)
	for n := range room + 1 {
		gone := n < room && expires(n) == 10
		if gone {
			expired++
		}
		if find(s, groupKey(n), &e) == gone {
			t.Errorf("entry %d is there: %v", n, !gone)
		}
	}
	if got := s.stats().Total; got[sessioncache.Expiries] != expired || got[sessioncache.Evictions] != 0 {
		t.Errorf("counters: %+v", got)
	}
	checkZero(t, s)
}
