package storetest

import (
	"testing"

	"gosess/sessioncache"
)

// testOwners flushes and counts what one owner has stored among what others have.
func testOwners(t *testing.T, empty Empty) {
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	another := Cache(t, s, &now, Key(9)) // another program's
	owners := [][32]byte{{'a'}, {'b'}, {}}
	const each = 40
	put := func(c *sessioncache.Cache, owner, n int, expires int64) {
		id := ID(owner*1000 + n)
		Put(t, c, sessioncache.Origin{Owner: owners[owner]}, id, DER(id, 0, OrdinaryDER), expires)
	}
	for n := range each {
		put(c, 0, n, now+10+int64(n%2)*10)
		put(c, 1, n, now+10)
		put(another, 2, n, now+10)
	}
	number := func(what string, c *sessioncache.Cache, owner, want int) {
		t.Helper()
		if got, err := c.Number(ctx, owners[owner]); got != want || err != nil {
			t.Errorf("%s: %d sessions of owner %d, %v, not %d", what, got, owner, err, want)
		}
	}
	number("at first", c, 0, each)
	number("at first", c, 1, each)
	number("at first", c, 2, 0)
	number("at first", another, 2, each)
	number("at first", another, 0, 0)

	flush := func(c *sessioncache.Cache, owner int, before int64) {
		t.Helper()
		if err := c.Flush(ctx, owners[owner], before); err != nil {
			t.Errorf("Flush: %v", err)
		}
	}
	flush(c, 0, now+10)
	number("nothing ends before that", c, 0, each)
	flush(c, 0, now+11)
	number("half of them ends before that", c, 0, each/2)
	flush(another, 1, 0)
	number("another program has the same owner", c, 1, each)
	flush(c, 0, 0)
	number("all of an owner", c, 0, 0)
	number("all of another owner", c, 1, each)
	number("all of another owner", another, 2, each)
	if st := stats(t, s); st.Entries != 2*each || st.Total[sessioncache.Removals] != each {
		t.Errorf("stats: %+v", st)
	}
	// A session that is stored again is of who stored it last.
	put(c, 1, 0, now+10)
	number("stored again", c, 1, each)
	Put(t, c, sessioncache.Origin{Owner: owners[0]}, ID(1000), []byte("der"), now+10)
	number("stored by another owner", c, 1, each-1)
	number("stored by another owner", c, 0, 1)

	if err := c.Clear(ctx); err != nil {
		t.Errorf("Clear: %v", err)
	}
	for owner := range owners {
		number("cleared", c, owner, 0)
		number("cleared", another, owner, 0)
	}
}

// testPutBack takes a session and puts it back, in another process.
func testPutBack(t *testing.T, empty Empty) {
	now := int64(Now)
	before, s := newCache(t, empty, &now, Key(1))
	after := Cache(t, s, &now, Key(2), Key(1))
	Put(t, before, OriginA, ID(1), []byte("one"), now+10)
	for _, c := range []*sessioncache.Cache{before, after, before, Cache(t, s, &now, Key(2), Key(1))} {
		der, stored, ok := after.Take(ctx, OriginA, ID(1), nil)
		if !ok || string(der) != "one" {
			t.Fatalf("Take: %q, %v", der, ok)
		}
		Miss(t, after, OriginA, ID(1))
		Put(t, c, OriginA, ID(1), der, stored.Expires)
		Miss(t, after, OriginB, ID(1))
	}
	Get(t, after, OriginA, ID(1), []byte("one"))
	if n := stats(t, s).Entries; n != 1 {
		t.Errorf("%d entries", n)
	}
}
