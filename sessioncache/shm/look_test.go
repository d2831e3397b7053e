package shm

import (
	"bytes"
	"fmt"
	"testing"

	"gosess/sessioncache"
)

// A look finds what Find finds, and leaves no trace.
func TestLookIsNoUse(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	for n := range 3 {
		if err := s.Put(ctx, setKey(n), []byte(fmt.Sprint("sealed ", n)), uint32(n+1), 1); err != nil {
			t.Fatal(err)
		}
	}
	before := bytes.Clone(s.mapping)
	var e sessioncache.Entry
	for n := range 3 {
		if !s.Look(setKey(n), &e) || string(e.Sealed) != fmt.Sprint("sealed ", n) || e.Expires != uint32(n+1) {
			t.Errorf("entry %d: %q until %d", n, e.Sealed, e.Expires)
		}
	}
	if s.Look(setKey(3), &e) || e.Handle != (sessioncache.Handle{}) {
		t.Error("found what is not there")
	}
	if !bytes.Equal(before, s.mapping) {
		t.Error("the store has changed")
	}
	find(s, setKey(1), &e)
	if bytes.Equal(before, s.mapping) {
		t.Error("nor has it by a use")
	}
}

func TestEachRecord(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	for n := range 4 {
		if err := s.AddRecord(ctx, setKey(n), []byte{'v', byte(n)}, uint32(10*n), 0); err != nil {
			t.Fatal(err)
		}
	}
	for now, want := range map[uint32]int{0: 4, 10: 3, 11: 2, 31: 0} {
		seen := map[sessioncache.LookupKey]bool{}
		s.EachRecord(now, func(key *sessioncache.LookupKey, e *sessioncache.Entry) {
			seen[*key] = true
			n := int(e.Sealed[1])
			if *key != *setKey(n) || len(e.Sealed) != 2 || e.Expires != uint32(10*n) {
				t.Errorf("record %d under another key, or until %d", n, e.Expires)
			}
		})
		if len(seen) != want {
			t.Errorf("at %d: %d records, not %d", now, len(seen), want)
		}
	}
	// The handle is that of the record.
	s.EachRecord(0, func(_ *sessioncache.LookupKey, e *sessioncache.Entry) {
		if err := s.DropRecord(ctx, e, 0); err != nil {
			t.Fatal(err)
		}
	})
	checkRecords(t, s)
}
