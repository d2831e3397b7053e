package shm

import (
	"os"
	"testing"

	"gosess/sessioncache"
)

// BenchmarkGlance reads what 64 processes have counted for 100 contexts each, in a store that is full of the smallest sessions: a
// scrape of gosess serve.
func BenchmarkGlance(b *testing.B) {
	mapping := newMapping(128 << 20)
	s := openShm(b, mapping)
	for w := range workersMost {
		s.pid = uint64(os.Getpid()) + uint64(w)<<40 // nobody's, and not the same
		at := s.workersAt + w*workerSize
		s.store(at+workerPID, uint64(os.Getpid()))
		for c := range 100 {
			at := s.rowsAt + (w*100+c)*rowSize
			s.store(at+rowPID, uint64(os.Getpid()))
			s.store(at+rowOwner, readyOf(tagOf(c)))
		}
	}
	c := testCache(b, s, nil)
	for n := range 100000 {
		mustPut(b, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), 1<<32-2)
	}
	r, err := OpenReadOnly(mapping)
	if err != nil {
		b.Fatal(err)
	}
	var st sessioncache.Stats
	for b.Loop() {
		st = r.Glance()
	}
	if len(st.Contexts) != 100 || len(st.Workers) != workersMost || st.Entries < 95000 || st.Entries > 105000 {
		b.Errorf("%d contexts, %d workers, %d entries", len(st.Contexts), len(st.Workers), st.Entries)
	}
}
