package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"gosess/sessioncache"
)

func TestRecords(t *testing.T) {
	ctx := context.Background()
	now := int64(1700000000)
	r := NewRecords(func() int64 { return now })
	add := func(name, value string, expires int64, want error) {
		t.Helper()
		if err := r.AddRecord(ctx, name, []byte(value), expires); !errors.Is(err, want) {
			t.Errorf("AddRecord of %q: %v, not %v", name, err, want)
		}
	}
	is := func(name string, want ...string) {
		t.Helper()
		got, err := r.Record(ctx, name)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%q: %d values, %v", name, len(got), err)
		}
		for i := range want {
			if string(got[i].Value) != want[i] {
				t.Errorf("%q is %q", name, got[i].Value)
			}
		}
	}
	is("a")
	add("a", "one", now+10, nil)
	add("a", "two", now+20, sessioncache.ErrExists)
	add("b", "", now+20, sessioncache.ErrTooBig)
	add("b", string(make([]byte, sessioncache.MaxRecord+1)), now+20, sessioncache.ErrTooBig)
	add("b", "late", now-1, sessioncache.ErrExpired)
	got, _ := r.Record(ctx, "a")
	got[0].Value[0] = 'x' // a copy
	is("a", "one")
	kept := r.all["a"].value
	now += 10
	is("a", "one")
	now++
	if err := r.ExpireRecords(ctx); err != nil || !bytes.Equal(kept, make([]byte, 3)) {
		t.Errorf("%v, and %q is left in memory", err, kept)
	}
	is("a")
	for n := range recordsMost {
		add(fmt.Sprint(n), "x", now+1, nil)
	}
	add("more", "x", now+1, sessioncache.ErrFull)
	now += 2
	add("more", "x", now+1, nil)
}

func TestRecordsByThreads(t *testing.T) {
	ctx := context.Background()
	r := NewRecords(func() int64 { return 0 })
	for round := range 100 {
		var all sync.WaitGroup
		values := make([]string, 4)
		for n := range values {
			all.Go(func() {
				name := fmt.Sprint(round)
				err := r.AddRecord(ctx, name, []byte(fmt.Sprint(n)), 1)
				if err != nil && err != sessioncache.ErrExists {
					t.Error(err)
				}
				if got, err := r.Record(ctx, name); err == nil && len(got) == 1 {
					values[n] = string(got[0].Value)
				}
			})
		}
		all.Wait()
		for _, value := range values {
			if value == "" || value != values[0] {
				t.Fatalf("round %d: %q", round, values)
			}
		}
	}
}
