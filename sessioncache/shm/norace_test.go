//go:build !race

package shm

import (
	"testing"

	"gosess/sessioncache"
)

func TestNoAllocations(t *testing.T) {
	c, _ := newCache(t, nil)
	id, der := testID(1), testDER(testID(1), 0, ordinaryDER)
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() {
		mustPut(t, c, originA, id, der, 1<<32-2)
		if _, _, ok := c.Get(ctx, originA, id, dst); !ok {
			t.Fatal("miss")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestCapacity holds the promise of 4,700 ordinary sessions per MiB.
func TestCapacity(t *testing.T) {
	const promised = 4700
	for _, size := range []int{1 << 20, 3<<20 + 4096} {
		s := openShm(t, newMapping(size))
		c := testCache(t, s, nil)
		n := 3 * promised * size >> 20
		for i := range n {
			mustPut(t, c, originA, testID(i), testDER(testID(i), 0, ordinaryDER), 1<<32-2)
		}
		kept := 0
		for i := range n {
			if got, _, ok := c.Get(ctx, originA, testID(i), nil); ok {
				checkDER(t, testID(i), got)
				kept++
			}
		}
		t.Logf("%d bytes: %d sessions, %d per MiB", size, kept, kept<<20/size)
		if kept<<20/size < promised {
			t.Errorf("%d bytes hold %d sessions", size, kept)
		}
		st := s.stats()
		if st.Entries != uint64(kept) || st.Total[sessioncache.Evictions] != uint64(n-kept) || st.Used > st.Capacity {
			t.Errorf("stats: %+v, of %d kept %d", st, n, kept)
		}
		checkStore(t, s)
	}
}
