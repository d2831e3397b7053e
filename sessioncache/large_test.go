package sessioncache

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// stillThere counts the plain sessions from 0 to n that a cache has, without using them.
func stillThere(t *testing.T, c *Cache, n int) (kept int) {
	t.Helper()
	for i := range n {
		if c.Has(testID(i), func([]byte, Seal) bool { return true }) {
			kept++
		}
	}
	return kept
}

// TestLargeEntriesHaveAPart lets clients with large certificates come to a full store: they take its
// quarter and no more, however many they are and whatever sizes they have.
func TestLargeEntriesHaveAPart(t *testing.T) {
	const size, plain = 4 << 20, 25000
	rng := rand.New(rand.NewPCG(4, 0))
	for _, test := range []struct {
		count int
		size  func() int
		sizes string
		least int // percent of the plain ones that stay; the part of a set may end within one
	}{
		{150, func() int { return MaxDER }, "of the largest size", 75},
		{600, func() int { return MaxDER }, "of the largest size", 75},
		{10000, func() int { return MaxDER }, "of the largest size", 75},
		{10000, func() int { return 2100 + rng.IntN(MaxDER-2100+1) }, "of any size", 73},
		{10000, func() int { return 2100 + rng.IntN(2)*(MaxDER-2100) }, "of two sizes", 73},
	} {
		t.Run(fmt.Sprintf("%d %s", test.count, test.sizes), func(t *testing.T) {
			s := openShm(t, newMapping(size))
			c := testCache(t, s, nil)
			for i := range plain {
				mustPut(t, c, originA, testID(i), testDER(testID(i), 0, ordinaryDER), 1<<32-2)
			}
			before := stillThere(t, c, plain)
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
			if _, _, ok := c.Get(originA, last, nil); !ok {
				t.Error("the last large one is not there")
			}
			checkStore(t, s)
			checkZero(t, s)
		})
	}
}

// Sessions with an ordinary client certificate can fill a store.
func TestOrdinaryCertificatesFillTheStore(t *testing.T) {
	const der = 1100
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, nil)
	for i := range 3000 {
		mustPut(t, c, originA, testID(i), testDER(testID(i), 0, der), 1<<32-2)
	}
	st := s.Stats()
	t.Logf("%d sessions, %d %% used", st.Entries, st.Used*100/st.Capacity)
	if st.Used*100/st.Capacity < 90 {
		t.Errorf("%d %% are used", st.Used*100/st.Capacity)
	}
}

// A large entry finds room where every descriptor is taken, by entries that lie elsewhere.
func TestLargeEntryAndNoDescriptor(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	for n := range s.slots + 1 { // tiny ones: the data is far from full
		if err := s.Put(setKey(n), make([]byte, 24), 2, 1); err != nil {
			t.Fatal(err)
		}
	}
	// Those in the part of the large ones are dropped, and their descriptors taken by others, elsewhere.
	large := make([]byte, s.most(largeUnits+1)*wordSize)
	for n := range 5 {
		if err := s.Put(setKey(1000+n), large, 2, 1); err != nil {
			t.Fatal(err)
		}
		for i := range s.slots {
			if err := s.Put(setKey(2000+n*1000+i), make([]byte, 8), 2, 1); err != nil {
				t.Fatal(err)
			}
		}
		checkStore(t, s)
	}
	if err := s.Put(setKey(1), make([]byte, len(large)+1), 2, 1); err != ErrTooBig {
		t.Errorf("larger than that part: %v", err)
	}
}
