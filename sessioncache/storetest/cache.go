package storetest

import (
	"errors"
	"testing"

	"gosess/sessioncache"
)

// The tests of this file and the next are the rules of a cache, over any store.

func testPutGet(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := newCache(t, empty, &now)
	id := ID(1)
	Miss(t, c, OriginA, id)
	Put(t, c, OriginA, id, []byte("one"), now+10)
	Get(t, c, OriginA, id, []byte("one"))
	Put(t, c, OriginA, id, []byte("other"), now+10)
	Get(t, c, OriginA, id, []byte("other"))

	got, stored, ok := c.Get(ctx, OriginA, id, []byte("before "))
	if !ok || string(got) != "before other" || stored.Expires != now+10 {
		t.Errorf("Get appended to dst: %q, expires %d", got, stored.Expires)
	}
	if st := stats(t, c); st.Entries != 1 || st.Total != (sessioncache.Counters{sessioncache.Hits: 3, sessioncache.Misses: 1, sessioncache.MissedAbsent: 1, sessioncache.Stores: 2}) {
		t.Errorf("stats: %+v", st)
	}
}

func testIsolation(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := newCache(t, empty, &now)
	id := ID(1)
	Put(t, c, OriginA, id, []byte("a"), now+10)

	Miss(t, c, OriginB, id)
	Miss(t, c, OriginA, id[:31])
	Miss(t, c, OriginA, ID(2))
	for name, same := range map[string]bool{
		"a.example": true, "A.EXAMPLE": true, "a.Example": true,
		"": true, "a.exampl": false, "a.example.": false, "b.example": false, "a\x0eexample": false,
	} {
		o := OriginA
		o.ServerName = name
		if same {
			Get(t, c, o, id, []byte("a"))
		} else {
			Miss(t, c, o, id)
		}
	}
	// A miss for its name or terms has left the entry where it is. Another owner with the same
	// terms has it too: a reloaded server, say.
	Get(t, c, sessioncache.Origin{Terms: OriginA.Terms, ServerName: OriginA.ServerName}, id, []byte("a"))

	// None is no other name, but never makes other terms the same.
	nameless := sessioncache.Origin{Terms: OriginA.Terms}
	Put(t, c, nameless, id, []byte("c"), now+10)
	Get(t, c, nameless, id, []byte("c"))
	Get(t, c, OriginA, id, []byte("c"))
	Miss(t, c, OriginB, id)
	Miss(t, c, sessioncache.Origin{}, id)
	if st := stats(t, c); st.Total[sessioncache.Errors] != 0 || st.Entries != 1 {
		t.Errorf("stats: %+v", st)
	}
}

func testExpiry(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := newCache(t, empty, &now)
	id := ID(1)
	Put(t, c, OriginA, id, []byte("a"), now+10)
	now += 10
	Get(t, c, OriginA, id, []byte("a")) // L32: over when now > expires
	now++
	Miss(t, c, OriginA, id)
	if st := stats(t, c); st.Entries != 0 || st.Total[sessioncache.Expiries] != 1 {
		t.Errorf("stats: %+v", st)
	}
	now--
	Miss(t, c, OriginA, id)

	if _, err := c.Put(ctx, OriginA, sessioncache.Session{ID: id, DER: []byte("a"), Expires: now - 1}); err != sessioncache.ErrExpired {
		t.Errorf("Put of an expired session: %v", err)
	}
	if _, err := c.Put(ctx, OriginA, sessioncache.Session{ID: id, DER: []byte("a"), Expires: -1}); err != sessioncache.ErrExpired {
		t.Errorf("Put of a session from before 1970: %v", err)
	}
	Put(t, c, OriginA, id, []byte("a"), 1<<40) // past 2106: kept until then
	Get(t, c, OriginA, id, []byte("a"))
}

func testPutRefuses(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := newCache(t, empty, &now)
	der := []byte("der")
	for _, test := range []struct {
		name    string
		session sessioncache.Session
		want    error
	}{
		{"no id", sessioncache.Session{DER: der, Expires: now}, sessioncache.ErrInvalid},
		{"long id", sessioncache.Session{ID: make([]byte, sessioncache.MaxID+1), DER: der, Expires: now}, sessioncache.ErrInvalid},
		{"no bytes", sessioncache.Session{ID: ID(1), Expires: now}, sessioncache.ErrInvalid},
		{"too big", sessioncache.Session{ID: ID(1), DER: make([]byte, sessioncache.MaxDER+1), Expires: now}, sessioncache.ErrTooBig},
		{"expired", sessioncache.Session{ID: ID(1), DER: der, Expires: now - 1}, sessioncache.ErrExpired},
		{"largest", sessioncache.Session{ID: ID(1), DER: make([]byte, sessioncache.MaxDER), Expires: now}, nil},
		{"smallest", sessioncache.Session{ID: []byte{0}, DER: []byte{0}, Expires: now}, nil},
	} {
		if _, err := c.Put(ctx, OriginA, test.session); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	Miss(t, c, OriginA, nil)
	Miss(t, c, OriginA, make([]byte, sessioncache.MaxID+1))
	want := sessioncache.Counters{sessioncache.Misses: 2, sessioncache.MissedAbsent: 2, sessioncache.Stores: 2, sessioncache.Expiries: 1, sessioncache.TooBig: 1, sessioncache.Errors: 3}
	if got := stats(t, c).Total; got != want {
		t.Errorf("counters: %+v", got)
	}
}

func testRemove(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := newCache(t, empty, &now)
	id := ID(1)
	yes := func([]byte, sessioncache.Seal) bool { return true }
	if c.Remove(ctx, id, yes) || c.Has(ctx, OriginA.Owner, id, yes) {
		t.Error("removed what was not there")
	}
	Put(t, c, OriginA, id, []byte("a"), now)
	// L15: somebody else's session under an id that he saw.
	if c.Remove(ctx, id, func(der []byte, _ sessioncache.Seal) bool { return string(der) == "b" }) {
		t.Error("removed another session")
	}
	for _, want := range []string{"a", "b"} {
		if has := c.Has(ctx, OriginA.Owner, id, func(der []byte, _ sessioncache.Seal) bool { return string(der) == want }); has != (want == "a") {
			t.Errorf("has %q: %v", want, has)
		}
	}
	if c.Has(ctx, [32]byte{'c'}, id, yes) {
		t.Error("another owner has it")
	}
	Get(t, c, OriginA, id, []byte("a"))
	if !c.Remove(ctx, id, func(der []byte, _ sessioncache.Seal) bool { return string(der) == "a" }) {
		t.Error("did not remove")
	}
	Miss(t, c, OriginA, id)
	if got := stats(t, c).Total; got[sessioncache.Removals] != 1 || got[sessioncache.Errors] != 0 {
		t.Errorf("counters: %+v", got)
	}
}

func testRotation(t *testing.T, empty Empty) {
	now := int64(Now)
	before, s := newCache(t, empty, &now, Key(1))
	after := Cache(t, s, &now, Key(2), Key(1))
	later := Cache(t, s, &now, Key(2))
	id := ID(1)

	Put(t, before, OriginA, id, []byte("before"), now)
	Get(t, after, OriginA, id, []byte("before"))
	Miss(t, later, OriginA, id)

	Put(t, after, OriginA, id, []byte("after"), now)
	Get(t, after, OriginA, id, []byte("after"))
	Get(t, later, OriginA, id, []byte("after"))
	Miss(t, before, OriginA, id) // else it came back after an eviction

	// A removal reaches the entries of all keys.
	Put(t, before, OriginA, id, []byte("before"), now)
	if !after.Remove(ctx, id, func([]byte, sessioncache.Seal) bool { return true }) {
		t.Error("did not remove")
	}
	Miss(t, before, OriginA, id)
	Miss(t, after, OriginA, id)
	if got := stats(t, s).Total; got[sessioncache.Errors] != 0 || got[sessioncache.Removals] != 1 {
		t.Errorf("counters: %+v", got)
	}
}

// testManyProcesses finds what more processes have sealed than a cache keeps derived keys of.
func testManyProcesses(t *testing.T, empty Empty) {
	const many = 140
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	for n := range many {
		Put(t, Cache(t, s, &now), OriginA, ID(n), DER(ID(n), 0, OrdinaryDER), now)
	}
	for range 2 {
		for n := range many {
			Get(t, c, OriginA, ID(n), DER(ID(n), 0, OrdinaryDER))
		}
	}
}

// testClockJumps moves the clock an hour on, back, and back further than to when the
// sessions were made. Expiry follows the clock, and nothing else does.
func testClockJumps(t *testing.T, empty Empty) {
	const hour = 3600
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	put := func(n int, lifetime int64) {
		Put(t, c, OriginA, ID(n), DER(ID(n), 0, OrdinaryDER), now+lifetime)
	}
	there := func(what string, n int, want bool) {
		t.Helper()
		der, _, ok := c.Get(ctx, OriginA, ID(n), nil)
		if ok != want {
			t.Errorf("%s: session %d is there: %v", what, n, ok)
		}
		if ok {
			CheckDER(t, ID(n), der)
		}
	}
	put(1, 300)
	put(2, 2*hour)
	put(3, 300)
	there("at first", 1, true)
	now += hour
	there("an hour on", 1, false)
	there("an hour on", 2, true)
	put(4, 300)
	now -= hour
	there("back", 1, false) // it was dropped when it was looked up
	there("back", 2, true)
	there("back", 3, true) // nobody looked
	there("back", 4, true)
	now -= hour
	there("before it was made", 2, true)
	for range 20 { // back and forth
		put(5, 300)
		now += hour
		there("an hour on again", 5, false)
		put(5, 300)
		there("stored anew", 5, true)
		now -= hour
		there("back again", 5, true)
		there("back again", 2, true)
	}
	if got := stats(t, s).Total; got[sessioncache.Errors] != 0 || got[sessioncache.Evictions] != 0 {
		t.Errorf("counters: %+v", got)
	}
}
