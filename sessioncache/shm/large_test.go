package shm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gosess/sessioncache"
)

// stillThere counts the plain sessions from 0 to n that a cache has, without using them.
func stillThere(t *testing.T, c *sessioncache.Cache, n int) (kept int) {
	t.Helper()
	for i := range n {
		if c.Has(ctx, originA.Owner, testID(i), func([]byte, sessioncache.Seal) bool { return true }) {
			kept++
		}
	}
	return kept
}

// TestLargeEntriesHaveAPart lets clients with large certificates come to a full store: they take its
// quarter and no more, however many they are and whatever sizes they have.
func TestLargeEntriesHaveAPart(t *testing.T) {
	size, plain := 4<<20, 25000
	if raceEnabled { // which takes that much longer
		size, plain = 1<<20, 6000
	}
	rng := rand.New(rand.NewPCG(4, 0))
	full := newMapping(size)
	filled := testCache(t, openShm(t, full), nil)
	for i := range plain {
		mustPut(t, filled, originA, testID(i), testDER(testID(i), 0, ordinaryDER), 1<<32-2)
	}
	before := stillThere(t, filled, plain)
	for _, test := range []struct {
		count int
		size  func() int
		sizes string
		least int // percent of the plain ones that stay; the part of a set may end within one
	}{
		{150, func() int { return sessioncache.MaxDER }, "of the largest size", 75},
		{600, func() int { return sessioncache.MaxDER }, "of the largest size", 75},
		{1250 * thorough, func() int { return sessioncache.MaxDER }, "of the largest size", 75},
		{1250 * thorough, func() int { return 2100 + rng.IntN(sessioncache.MaxDER-2100+1) }, "of any size", 73},
		{1250 * thorough, func() int { return 2100 + rng.IntN(2)*(sessioncache.MaxDER-2100) }, "of two sizes", 73},
	} {
		t.Run(fmt.Sprintf("%d %s", test.count, test.sizes), func(t *testing.T) {
			mapping := newMapping(size)
			copy(mapping, full)
			s := openShm(t, mapping)
			c := testCache(t, s, nil)
			for i := range test.count {
				id := testID(-1 - i)
				mustPut(t, c, originA, id, testDER(id, 0, test.size()), 1<<32-2)
			}
			after := stillThere(t, c, plain)
			t.Logf("%d plain sessions, then %d", before, after)
			if after < before*test.least/100 {
				t.Errorf("of %d plain sessions %d are left", before, after)
			}
			last := testID(-test.count)
			if _, _, ok := c.Get(ctx, originA, last, nil); !ok {
				t.Error("the last large one is not there")
			}
			checkStore(t, s)
			checkZero(t, s)
		})
	}
}

// A store that is not full has room for both, so that no large one costs a plain one its place.
func TestLargeBesideFew(t *testing.T) {
	const plain = 300
	s := openShm(t, newMapping(4<<20))
	c := testCache(t, s, nil)
	for i := range plain {
		mustPut(t, c, originA, testID(i), testDER(testID(i), 0, ordinaryDER), 1<<32-2)
	}
	for i := range 1000 {
		id := testID(-1 - i)
		mustPut(t, c, originA, id, testDER(id, 0, 2500+i%2*2500), 1<<32-2)
	}
	if left := stillThere(t, c, plain); left != plain {
		t.Errorf("of %d plain sessions %d are left", plain, left)
	}
	checkStore(t, s)
	checkZero(t, s)
}

// Sessions with an ordinary client certificate can fill a store.
func TestOrdinaryCertificatesFillTheStore(t *testing.T) {
	const der = 1100
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, nil)
	for i := range 3000 {
		mustPut(t, c, originA, testID(i), testDER(testID(i), 0, der), 1<<32-2)
	}
	st := s.stats()
	t.Logf("%d sessions, %d %% used", st.Entries, st.Used*100/st.Capacity)
	if st.Used*100/st.Capacity < 90 {
		t.Errorf("%d %% are used", st.Used*100/st.Capacity)
	}
}

// A large entry finds room where every slot is taken, by entries that lie elsewhere.
func TestLargeEntryAndNoSlot(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	put := func(n, size int) {
		t.Helper()
		if err := s.Put(ctx, setKey(n), make([]byte, size), 2, 1); err != nil {
			t.Fatal(err)
		}
	}
	units := s.most(largeUnits + 1)
	large := units*wordSize - tagLength
	small := (s.units-units)/setSlots*wordSize - tagLength
	var e sessioncache.Entry
	put(0, large)
	if !find(s, setKey(0), &e) || slotStart(e.Handle[1]) != 0 {
		t.Fatal("the large one is not there")
	}
	for n := 1; s.stats().Entries < uint64(setSlots) || isThere(s, setKey(0)); n++ {
		if n > 10000 {
			t.Fatal("the set is not full")
		}
		put(n, small)
	}
	before := s.stats()
	put(0, large)
	if after := s.stats(); !find(s, setKey(0), &e) || slotStart(e.Handle[1]) != 0 ||
		before.Entries+1-after.Entries != after.Total[sessioncache.Evictions]-before.Total[sessioncache.Evictions] {
		t.Errorf("%+v, then %+v", before, after)
	}
	if err := s.Put(ctx, setKey(1), make([]byte, large+1), 2, 1); err != sessioncache.ErrTooBig {
		t.Errorf("larger than that part: %v", err)
	}
	checkStore(t, s)
	checkZero(t, s)
}
