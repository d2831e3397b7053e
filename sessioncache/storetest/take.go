package storetest

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"gosess/sessioncache"
)

func testTake(t *testing.T, empty Empty) {
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	id, other := ID(1), ID(2)
	Put(t, c, OriginA, id, []byte("one"), now+10)
	Put(t, c, OriginA, other, []byte("other"), now+10)

	stranger := OriginA
	stranger.ServerName = "b.example"
	for _, o := range []sessioncache.Origin{stranger, OriginB} {
		if _, _, ok := c.Take(ctx, o, id, nil); ok {
			t.Errorf("taken as %q", o.ServerName)
		}
	}
	o := OriginA
	o.ServerName = "A.Example"
	der, stored, ok := c.Take(ctx, o, id, []byte("the "))
	if !ok || string(der) != "the one" || stored.Expires != now+10 {
		t.Errorf("Take: %q, expires %d, %v", der, stored.Expires, ok)
	}
	if der, _, ok := c.Take(ctx, OriginA, id, []byte("the ")); ok || string(der) != "the " {
		t.Errorf("taken twice: %q", der)
	}
	Miss(t, c, OriginA, id)
	Get(t, c, OriginA, other, []byte("other"))

	now += 11
	if _, _, ok := c.Take(ctx, OriginA, other, nil); ok {
		t.Error("taken after its end")
	}
	want := sessioncache.Counters{sessioncache.Hits: 2, sessioncache.Misses: 5, sessioncache.Stores: 2, sessioncache.Expiries: 1}
	if st := stats(t, s); Basic(t, st.Total) != want || st.Entries != 0 {
		t.Errorf("stats: %+v", st)
	}
}

// testTakeOldKey takes what an older key has sealed.
func testTakeOldKey(t *testing.T, empty Empty) {
	now := int64(Now)
	before, s := newCache(t, empty, &now, Key(1))
	after := Cache(t, s, &now, Key(2), Key(1))
	Put(t, before, OriginA, ID(1), []byte("one"), now)
	if der, _, ok := after.Take(ctx, OriginA, ID(1), nil); !ok || string(der) != "one" {
		t.Errorf("Take: %q, %v", der, ok)
	}
	Miss(t, before, OriginA, ID(1))
}

// testTakeAtOnce has several take the same sessions at the same time: each goes to one of them.
func testTakeAtOnce(t *testing.T, empty Empty) {
	const takers, ids = 4, 500
	open := empty(t)
	c := Cache(t, open(t), nil)
	for n := range ids {
		Put(t, c, OriginA, ID(n), DER(ID(n), 0, OrdinaryDER), 1<<32-2)
	}
	var wins [ids]atomic.Int32
	var threads sync.WaitGroup
	for range takers {
		mine := Cache(t, Hesitant{open(t)}, nil)
		threads.Go(func() {
			for n := range ids {
				if der, _, ok := mine.Take(ctx, OriginA, ID(n), nil); ok {
					if string(der) != string(DER(ID(n), 0, OrdinaryDER)) {
						t.Errorf("session %d is not what was put", n)
					}
					wins[n].Add(1)
				}
			}
		})
	}
	threads.Wait()
	for n := range wins {
		if got := wins[n].Load(); got != 1 {
			t.Errorf("session %d was taken %d times", n, got)
		}
	}
	want := sessioncache.Counters{sessioncache.Hits: ids, sessioncache.Misses: (takers - 1) * ids, sessioncache.Stores: ids}
	if st := stats(t, c); Basic(t, st.Total) != want || st.Entries != 0 {
		t.Errorf("stats: %+v", st)
	}
}

// Hesitant lets others run between finding an entry and dropping it.
type Hesitant struct{ sessioncache.Store }

func (s Hesitant) Drop(ctx context.Context, e *sessioncache.Entry) (bool, error) {
	runtime.Gosched()
	return s.Store.Drop(ctx, e)
}
