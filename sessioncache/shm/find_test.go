package shm

import (
	"testing"

	"gosess/sessioncache"
)

// TestGeneration replaces an entry by one at the same place: a reader must see that
// it is another one.
func TestGeneration(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	var before, after sessioncache.Entry
	for _, e := range []*sessioncache.Entry{&before, &after} {
		if err := s.Put(ctx, setKey(1), make([]byte, 100), 1, 1); err != nil || !find(s, setKey(1), e) {
			t.Fatalf("not stored: %v", err)
		}
	}
	if before.Handle[0] != after.Handle[0] || metaStart(before.Handle[1]) != metaStart(after.Handle[1]) {
		t.Fatal("it is at another place")
	}
	if before.Handle == after.Handle || drop(s, &before) || !drop(s, &after) || drop(s, &after) {
		t.Error("it looks the same")
	}
	if _, changed := s.fetch(firstSet, 0, 1, &after); changed {
		t.Error("found what was dropped")
	}
	s.Put(ctx, setKey(1), make([]byte, 100), 1, 1)
	if found, changed := s.fetch(firstSet, int(after.Handle[0])-s.metas(firstSet), tagOf(setKey(2)), &after); found || !changed {
		t.Error("found an entry of another key")
	}
}
