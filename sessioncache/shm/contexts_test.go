package shm

import (
	"encoding/binary"
	"os"
	"sync"
	"testing"

	"gosess/sessioncache"
)

func tagOf(n int) (tag sessioncache.Tag) {
	binary.BigEndian.PutUint32(tag[:], uint32(n+1))
	return tag
}

// Each context that a process serves has a row, with its name; the counters of the worker have all.
func TestRows(t *testing.T) {
	mapping := newMapping(MinSize)
	s, other := openShm(t, mapping), openShm(t, mapping)
	other.pid = uint64(os.Getppid())
	a, b := s.Row(tagOf(1), "a.example", 100), s.Row(tagOf(2), "b\n<\x80example, which is longer than there is room for", 200)
	if a == 0 || b == 0 || a == b || s.Row(tagOf(1), "another name", 300) != a || int(a)%lineSize != 0 {
		t.Fatalf("rows %d and %d", a, b)
	}
	s.CountFor(a, sessioncache.Hits, 1)
	s.CountFor(b, sessioncache.Hits, 1)
	s.CountFor(b, sessioncache.Hits, -1)
	s.CountFor(b, sessioncache.Misses, 1)
	s.CountFor(0, sessioncache.Hits, 1)
	other.CountFor(other.Row(tagOf(1), "a.example", 50), sessioncache.Hits, 2)
	st := s.stats()
	if len(st.Contexts) != 2 || st.Total[sessioncache.Hits] != 4 || st.Total[sessioncache.Misses] != 1 {
		t.Fatalf("%+v", st)
	}
	first, second := st.Contexts[0], st.Contexts[1]
	if first.Label != "a.example" || first.Owner != tagOf(1) || first.Started != 50 || !first.Live || len(first.Workers) != 2 ||
		first.Counters != (sessioncache.Counters{sessioncache.Hits: 3}) {
		t.Errorf("%+v", first)
	}
	if second.Label != "b???example, which is longer than there " || second.Counters != (sessioncache.Counters{sessioncache.Misses: 1}) {
		t.Errorf("%+v", second)
	}
}

// A process goes on where a dead one of the same context was; the rows of others' contexts are taken when no other is left, the
// oldest first; and a living one's never.
func TestRowsOfTheDead(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	me, dead := s.pid, deadPID(t)
	s.pid = dead
	for n := range s.rows {
		row := s.Row(tagOf(n), "old", int64(1000-n%7))
		s.CountFor(row, sessioncache.Hits, 5)
	}
	if s.Row(tagOf(s.rows), "", 0) == 0 {
		t.Error("a dead process's row was not taken")
	}
	s.pid = me
	row := s.Row(tagOf(3), "new", 2000)
	s.CountFor(row, sessioncache.Hits, 1)
	if got := int(s.load(int(row) + rowCounts)); got != 6 {
		t.Errorf("%d hits of the context", got)
	}
	oldest := s.Row(tagOf(7000), "new", 2000)
	if start := s.load(int(oldest) + rowStart); start != 2000 || s.load(int(oldest)+rowCounts) != 0 {
		t.Errorf("a row of %d s", start)
	}
	for _, c := range s.stats().Contexts {
		if c.Started == 994 && c.Owner == tagOf(6) {
			t.Error("not the oldest row was taken")
		}
	}
	for n := range s.rows {
		s.Row(tagOf(8000+n), "", 3000)
	}
	if got := s.Row(tagOf(9000), "", 3000); got != 0 {
		t.Errorf("row %d of a living process was taken", got)
	}
	s.CountFor(0, sessioncache.Hits, 1) // what has no row counts for the worker
}

// Of processes that begin at the same moment, as the workers of a server do, each has its row, whoever is quicker.
func TestRowsAtOnce(t *testing.T) {
	for range 200 {
		mapping := newMapping(MinSize)
		s, other := openShm(t, mapping), openShm(t, mapping)
		other.pid = uint64(os.Getppid())
		var both sync.WaitGroup
		begin := make(chan struct{})
		for _, store := range []*Store{s, other} {
			both.Go(func() {
				<-begin
				for n := range s.rows / 2 {
					if store.Row(tagOf(n), "", 100) == 0 {
						t.Errorf("process %d has no row for context %d, of %d rows", store.pid, n, s.rows)
					}
				}
			})
		}
		close(begin)
		both.Wait()
		if t.Failed() {
			return
		}
	}
}

func TestLatency(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	s.Time(sessioncache.Get, 600)
	s.Time(sessioncache.Get, 511)
	s.Time(sessioncache.Put, 1<<40)
	s.Time(sessioncache.Put, -1)
	all := s.stats().Latency
	get, put := &all[sessioncache.Get], &all[sessioncache.Put]
	if get.Buckets[0] != 1 || get.Buckets[1] != 1 || get.Sum != 1111 || get.Count() != 2 || get.Quantile(0.5) != 512 || get.Quantile(0.99) != 1024 {
		t.Errorf("%+v", get)
	}
	if put.Buckets[0] != 1 || put.Buckets[sessioncache.HistogramBuckets-1] != 1 {
		t.Errorf("%+v", put)
	}
}
