package shm

import (
	"math/rand/v2"
	"testing"

	"gosess/sessioncache"
)

// TestSizes puts sessions of all sizes in turn; what was put last is always there,
// and the store stays well used.
func TestSizes(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, nil)
	rng := rand.New(rand.NewPCG(3, 0))
	var used, samples uint64
	for n := range 2600 + 300*thorough {
		size := 100 + rng.IntN(150)
		switch rng.IntN(50) {
		case 0:
			size = 100 + rng.IntN(sessioncache.MaxDER-100+1)
		case 1, 2, 3, 4, 5:
			size = 500 + rng.IntN(3000)
		}
		id := testID(n)
		mustPut(t, c, originA, id, testDER(id, 7, size), 1<<32-2)
		mustGet(t, c, originA, id, testDER(id, 7, size))
		if n%500 == 499 {
			for i := range n {
				if der, _, ok := c.Get(ctx, originA, testID(i), nil); ok {
					checkDER(t, testID(i), der)
				}
			}
			checkStore(t, s)
		}
		if n > 2500 { // the store is full
			st := s.stats()
			used += st.Used * 100 / st.Capacity
			samples++
		}
	}
	t.Logf("%d %% of the data is used", used/samples)
	if used/samples < 70 {
		t.Errorf("%d %% of the data is used", used/samples)
	}
	if got := s.stats().Total; got[sessioncache.Errors] != 0 || got[sessioncache.TooBig] != 0 {
		t.Errorf("counters: %+v", got)
	}
}

// TestLargeAmongSmall puts one large session into full sets: it costs its own size
// in small ones, and the one whose slot it has, not the whole set.
func TestLargeAmongSmall(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, nil)
	for i := range 6000 {
		mustPut(t, c, originA, testID(i), testDER(testID(i), 0, ordinaryDER), 1<<32-2)
	}
	before := s.stats()
	mustPut(t, c, originA, testID(-1), testDER(testID(-1), 0, 1800), 1<<32-2)
	if n := s.stats().Total[sessioncache.Evictions] - before.Total[sessioncache.Evictions]; n < 1 || n > 12 {
		t.Errorf("1800 bytes cost %d sessions of %d", n, ordinaryDER)
	}
}
