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
	if before.Handle[0] != after.Handle[0] || slotStart(before.Handle[1]) != slotStart(after.Handle[1]) {
		t.Fatal("it is at another place")
	}
	if before.Handle == after.Handle || drop(s, &before) || !drop(s, &after) || drop(s, &after) {
		t.Error("it looks the same")
	}
	key, other := s.spotOf(setKey(1)), s.spotOf(setKey(2))
	at, slot := int(after.Handle[0]), after.Handle[1]
	if found, changed := s.fetch(&key, at, slot, &after, true); found || !changed {
		t.Error("found what was dropped")
	}
	s.Put(ctx, setKey(1), make([]byte, 100), 1, 1)
	slot = s.load(at)
	if found, changed := s.fetch(&other, at, slot, &after, true); found || changed {
		t.Error("found an entry of another key")
	}
	if found, _ := s.fetch(&key, at, slot, &after, true); !found {
		t.Error("did not find it")
	}
}
