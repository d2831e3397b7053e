package storetest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gosess/sessioncache"
)

// The tests of this file are of keys that change while a cache is used.

func systemNow() int64 { return time.Now().Unix() }

// announce has a store say that these are the keys.
func announce(t *testing.T, s sessioncache.Store, keys ...[]byte) {
	t.Helper()
	if err := sessioncache.Announce(ctx, s, nil, keys); err != nil {
		t.Fatal(err)
	}
}

// mustRenew wants what has become of some keys.
func mustRenew(t *testing.T, s sessioncache.Store, keys [][]byte, want ...[]byte) {
	t.Helper()
	got, err := sessioncache.Renewed(s, keys)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d keys, %v; wanted %d", len(got), err, len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("key %d is another", i)
		}
	}
}

// testKeysFollow has a key come after another one while caches are used, and the first one go.
func testKeysFollow(t *testing.T, empty Empty) {
	s := empty(t)(t)
	one, two := Cache(t, s, nil), Cache(t, s, nil) // two processes, begun with the first key
	after, before := Cache(t, s, nil, Key(2)), Cache(t, s, nil, Key(1))
	ends := int64(1) << 31
	Put(t, one, OriginA, ID(1), []byte("under the first"), ends)
	one.Learn(ctx, routeOwner, routeName, termsOf(1))
	mustAdd(t, one, "secret", secret(1), ends, nil)
	Miss(t, after, OriginA, ID(1))

	changes := 0
	two.OnKeys(func(fewer bool) {
		if changes++; fewer != (changes == 2) {
			t.Errorf("change %d: %v", changes, fewer)
		}
	})
	announce(t, s, Key(2), Key(1))
	for _, c := range []*sessioncache.Cache{one, two} {
		Get(t, c, OriginA, ID(1), []byte("under the first"))
		mustRoute(t, c, routeName, 1)
		mustRecord(t, c, "secret", secret(1))
	}
	mustRoute(t, after, routeName, 1)
	Put(t, two, OriginA, ID(2), []byte("under the second"), ends)
	Get(t, one, OriginA, ID(2), []byte("under the second"))
	Get(t, after, OriginA, ID(2), []byte("under the second"))
	if n, err := one.Number(ctx, OriginA.Owner); n != 2 || err != nil {
		t.Errorf("the owner has %d, %v", n, err)
	}
	if !one.Has(ctx, OriginA.Owner, ID(1), anySession) || !one.Has(ctx, OriginA.Owner, ID(2), anySession) {
		t.Error("an owner has its session no more")
	}
	two.Learn(ctx, routeOwner, routeName, termsOf(2))
	mustRoute(t, one, routeName, 2)

	announce(t, s, Key(2))
	for _, c := range []*sessioncache.Cache{one, two, before} {
		Miss(t, c, OriginA, ID(1))
		Get(t, c, OriginA, ID(2), []byte("under the second"))
		mustRoute(t, c, routeName, 2)
		mustRecord(t, c, "secret")
	}
	if changes != 2 {
		t.Errorf("%d changes", changes)
	}
	mustRenew(t, s, [][]byte{Key(1)}, Key(2))
	mustRenew(t, s, [][]byte{Key(2), Key(1)}, Key(2))
	mustRenew(t, s, [][]byte{Key(3)}, Key(3))
}

// deaf is a store without records: nobody hears there of other keys.
type deaf struct{ sessioncache.Store }

// ofFleet is a store of a fleet.
type ofFleet struct {
	sessioncache.Store
	sessioncache.Records
}

func (ofFleet) ID() sessioncache.StoreID { return sessioncache.FleetID }

// testKeysOfFleet has a key opened at once, and sealed under when all machines have heard of it.
func testKeysOfFleet(t *testing.T, empty Empty) {
	store := empty(t)(t)
	s := ofFleet{store, store.(sessioncache.Records)}
	deafTo := deaf{s}
	announce(t, s, Key(2), Key(1))
	now := systemNow()
	c, ahead := Cache(t, s, &now), Cache(t, deafTo, &now, Key(2), Key(1))
	first, second := Cache(t, deafTo, &now, Key(1)), Cache(t, deafTo, &now, Key(2))
	ends := now + 1000
	Put(t, c, OriginA, ID(1), []byte("one"), ends)
	Get(t, first, OriginA, ID(1), []byte("one"))
	Put(t, ahead, OriginA, ID(2), []byte("two"), ends)
	Get(t, c, OriginA, ID(2), []byte("two"))
	now += sessioncache.Heard + 1
	Put(t, c, OriginA, ID(3), []byte("three"), ends)
	Get(t, second, OriginA, ID(3), []byte("three"))
	Miss(t, first, OriginA, ID(3))
	Get(t, c, OriginA, ID(1), []byte("one"))

	// What a machine says whose clock is far ahead is believed in as much time.
	announce(t, s, Key(3), Key(2))
	now -= 10000
	Put(t, c, OriginA, ID(4), []byte("four"), ends)
	Get(t, second, OriginA, ID(4), []byte("four"))
	now += sessioncache.Heard + 1
	Put(t, c, OriginA, ID(4), []byte("four"), ends)
	Miss(t, second, OriginA, ID(4))
	// A key that is alone seals.
	announce(t, s, Key(4), Key(3))
	announce(t, s, Key(4))
	Put(t, c, OriginA, ID(5), []byte("five"), ends)
	Get(t, Cache(t, deafTo, &now, Key(4)), OriginA, ID(5), []byte("five"))
}

// captured notes the records that are added.
type captured struct {
	ofStore
	added []record
}

type ofStore struct {
	sessioncache.Store
	sessioncache.Records
}

type record struct {
	key     sessioncache.LookupKey
	sealed  []byte
	expires uint32
}

func (c *captured) AddRecord(ctx context.Context, key *sessioncache.LookupKey, sealed []byte, expires, now uint32) error {
	c.added = append(c.added, record{*key, bytes.Clone(sealed), expires})
	return c.ofStore.AddRecord(ctx, key, sealed, expires, now)
}

// put has a store hold a record, whatever it held under that key.
func (r record) put(t *testing.T, s sessioncache.Records) {
	t.Helper()
	now := uint32(systemNow())
	r.drop(t, s)
	if err := s.AddRecord(ctx, &r.key, r.sealed, r.expires, now); err != nil {
		t.Fatal(err)
	}
}

func (r record) drop(t *testing.T, s sessioncache.Records) {
	t.Helper()
	now := uint32(systemNow())
	var e sessioncache.Entry
	if found, _ := s.FindRecord(ctx, &r.key, &e, now); found {
		if err := s.DropRecord(ctx, &e, now); err != nil {
			t.Fatal(err)
		}
	}
}

// testHostileKeys has whoever can write to the store say what the keys are.
func testHostileKeys(t *testing.T, empty Empty) {
	store := empty(t)(t)
	records := store.(sessioncache.Records)
	capture := func(keys ...[]byte) []record {
		c := &captured{ofStore: ofStore{store, records}}
		if err := sessioncache.Announce(ctx, c, nil, keys); err != nil {
			t.Fatal(err)
		}
		for _, r := range c.added {
			r.drop(t, records)
		}
		return c.added
	}
	said := capture(Key(2), Key(1)) // what follows the first one, and that nothing is before it
	foreign := capture(Key(9), Key(8))
	follows, first := said[0], said[1]
	random := make([]byte, len(follows.sealed))
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	hostile := []record{
		{follows.key, random, follows.expires},
		{follows.key, first.sealed, first.expires},
		{follows.key, foreign[0].sealed, foreign[0].expires},
		{follows.key, follows.sealed, follows.expires + 1},
		{follows.key, follows.sealed[:len(follows.sealed)-1], follows.expires},
		{first.key, follows.sealed, follows.expires},
		{first.key, foreign[1].sealed, foreign[1].expires},
		{foreign[0].key, foreign[0].sealed, foreign[0].expires},
	}
	for i := range follows.sealed {
		changed := bytes.Clone(follows.sealed)
		changed[i] ^= 1
		hostile = append(hostile, record{follows.key, changed, follows.expires})
	}
	for i := range first.sealed {
		changed := bytes.Clone(first.sealed)
		changed[i] ^= 1
		hostile = append(hostile, record{first.key, changed, first.expires})
	}
	for i, r := range hostile {
		r.put(t, records)
		got, err := sessioncache.Renewed(store, [][]byte{Key(1), Key(3)})
		if err != nil || len(got) != 2 || !bytes.Equal(got[0], Key(1)) {
			t.Fatalf("record %d: %d keys, %v", i, len(got), err)
		}
		r.drop(t, records)
	}

	// Who has an old key cannot have another one follow it, where that is not the newest.
	c := Cache(t, store, nil, Key(2), Key(1))
	for _, r := range capture(Key(7), Key(1)) {
		r.put(t, records)
	}
	ends := systemNow() + 1000
	Put(t, Cache(t, deaf{store}, nil, Key(7)), OriginA, ID(1), []byte("forged"), ends)
	Put(t, Cache(t, deaf{store}, nil, Key(1)), OriginA, ID(2), []byte("old"), ends)
	Miss(t, c, OriginA, ID(1))
	Get(t, c, OriginA, ID(2), []byte("old"))

	// What has gone does not come back, whatever becomes of what said so.
	gone := capture(Key(2))[0]
	gone.put(t, records)
	Miss(t, c, OriginA, ID(2))
	gone.drop(t, records)
	for _, r := range said {
		r.put(t, records)
	}
	Put(t, Cache(t, deaf{store}, nil, Key(1)), OriginA, ID(3), []byte("old"), ends)
	Miss(t, c, OriginA, ID(3))
	Put(t, c, OriginA, ID(4), []byte("new"), ends)
	Get(t, Cache(t, deaf{store}, nil, Key(2)), OriginA, ID(4), []byte("new"))
}

// testManyKeys announces more keys than a cache has, and two after the same.
func testManyKeys(t *testing.T, empty Empty) {
	s := empty(t)(t)
	keys := [][]byte{Key(1)}
	for n := byte(2); n < sessioncache.KeysMost+4; n++ {
		keys = append([][]byte{Key(n)}, keys...)
		announce(t, s, keys...)
	}
	got, err := sessioncache.Renewed(s, [][]byte{Key(1)})
	if err != nil || len(got) != sessioncache.KeysMost || !bytes.Equal(got[0], Key(sessioncache.KeysMost)) {
		t.Errorf("%d keys, %v", len(got), err)
	}
	if err := sessioncache.Announce(ctx, s, nil, [][]byte{Key(100), Key(1)}); !errors.Is(err, sessioncache.ErrOtherKey) {
		t.Errorf("another key after the first one: %v", err)
	}
	if err := sessioncache.Announce(ctx, deaf{s}, nil, [][]byte{Key(1)}); !errors.Is(err, sessioncache.ErrNoRecords) {
		t.Errorf("a store without records: %v", err)
	}
	if _, err := sessioncache.Renewed(deaf{s}, [][]byte{Key(1)}); !errors.Is(err, sessioncache.ErrNoRecords) {
		t.Errorf("a store without records: %v", err)
	}
}

// testKeysByThreads changes the keys again and again while many use caches: nothing is lost that is sealed under one of the last two.
func testKeysByThreads(t *testing.T, empty Empty) {
	const caches, threads, changes = 3, 2, 12
	s := empty(t)(t)
	ends := systemNow() + 1000
	var all sync.WaitGroup
	var over atomic.Bool
	var rounds [caches * threads]atomic.Int64
	for n := 0; n < len(rounds); n += threads {
		c := Cache(t, s, nil)
		for m := n; m < n+threads; m++ {
			all.Go(func() {
				for ; !over.Load(); rounds[m].Add(1) {
					id := ID(m*10 + int(rounds[m].Load()%10))
					if _, err := c.Put(ctx, OriginA, sessioncache.Session{ID: id, DER: id, Expires: ends}); err != nil {
						t.Error(err)
					}
					if _, _, ok := c.Get(ctx, OriginA, id, nil); !ok {
						t.Error("lost")
					}
				}
			})
		}
	}
	goOn := func() { // until each has stored and found again what it will miss soon
		for n := range rounds {
			for until := rounds[n].Load() + 2; rounds[n].Load() < until; {
				runtime.Gosched()
			}
		}
	}
	watcher := Cache(t, s, nil)
	for n := byte(1); n <= changes; n++ {
		Put(t, watcher, OriginA, ID(1000), ID(1000), ends)
		announce(t, s, Key(n+1), Key(n))
		Get(t, watcher, OriginA, ID(1000), ID(1000))
		Put(t, watcher, OriginA, ID(1001), ID(1001), ends)
		goOn()
		announce(t, s, Key(n+1))
		Miss(t, watcher, OriginA, ID(1000))
		Get(t, watcher, OriginA, ID(1001), ID(1001))
	}
	over.Store(true)
	all.Wait()
}
