package shm

import (
	"testing"

	"gosess/sessioncache"
)

// What a store shows from outside, and how it is emptied from there, by age and by owner.
func TestOutside(t *testing.T) {
	now := int64(testNow)
	mapping := newMapping(MinSize)
	s := openShm(t, mapping)
	c := testCache(t, s, &now)
	other := originA
	other.Owner[0]++
	mustPut(t, c, originA, testID(1), make([]byte, 100), now+1000)
	now += 500
	mustPut(t, c, originA, testID(2), make([]byte, 200), now+100)
	mustPut(t, c, other, testID(3), make([]byte, 300), now+100)
	mustGet(t, c, other, testID(3), make([]byte, 300))

	r, err := OpenReadOnly(mapping)
	if err != nil {
		t.Fatal(err)
	}
	bySize := map[int]Listed{}
	owners := map[sessioncache.Tag]int{}
	keys := map[uint64]bool{}
	r.List(nil, func(l Listed) {
		bySize[l.Size] = l
		owners[l.Owner]++
		keys[l.Key] = true
	})
	old, young := bySize[140], bySize[340]
	if len(bySize) != 3 || len(owners) != 2 || len(keys) != 3 || old.Expires != testNow+1000 || old.Stored < testNow-30 || old.Stored > testNow+30 || old.Used {
		t.Errorf("%+v", bySize)
	}
	if young.Stored < now-3 || young.Stored > now+3 || !young.Used || owners[old.Owner] != 2 {
		t.Errorf("%+v", bySize)
	}
	n := 0
	r.List(&young.Owner, func(Listed) { n++ })
	if n != 1 {
		t.Errorf("%d sessions of one owner", n)
	}

	before := s.stats()
	from := openShm(t, mapping)
	if got := from.FlushStored(nil, now-100); got != 1 {
		t.Errorf("%d old sessions", got)
	}
	if got := from.FlushStored(&young.Owner, 0); got != 1 {
		t.Errorf("%d sessions of one owner", got)
	}
	mustMiss(t, c, originA, testID(1))
	mustGet(t, c, originA, testID(2), make([]byte, 200))
	mustMiss(t, c, other, testID(3))
	from.Leave()
	after := s.stats()
	if after.Total[sessioncache.Removals] != before.Total[sessioncache.Removals]+2 || len(after.Workers) != 0 {
		t.Errorf("%+v", after)
	}
	if from.FlushStored(nil, 0) != 1 || s.stats().Entries != 0 {
		t.Error("not all are flushed")
	}
}
