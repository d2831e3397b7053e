package sessioncache

import "testing"

// TestOwners flushes and counts what one owner has stored among what others have.
func TestOwners(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	another := testCache(t, s, &now, testKey(9)) // another program's
	owners := [][32]byte{{'a'}, {'b'}, {}}
	const each = 40
	put := func(c *Cache, owner, n int, expires int64) {
		id := testID(owner*1000 + n)
		mustPut(t, c, Origin{Owner: owners[owner]}, id, testDER(id, 0, ordinaryDER), expires)
	}
	for n := range each {
		put(c, 0, n, now+10+int64(n%2)*10)
		put(c, 1, n, now+10)
		put(another, 2, n, now+10)
	}
	number := func(what string, c *Cache, owner, want int) {
		t.Helper()
		if got := c.Number(owners[owner]); got != want {
			t.Errorf("%s: %d sessions of owner %d, not %d", what, got, owner, want)
		}
	}
	number("at first", c, 0, each)
	number("at first", c, 1, each)
	number("at first", c, 2, 0)
	number("at first", another, 2, each)
	number("at first", another, 0, 0)

	c.Flush(owners[0], now+10)
	number("nothing ends before that", c, 0, each)
	c.Flush(owners[0], now+11)
	number("half of them ends before that", c, 0, each/2)
	another.Flush(owners[1], 0)
	number("another program has the same owner", c, 1, each)
	c.Flush(owners[0], 0)
	number("all of an owner", c, 0, 0)
	number("all of another owner", c, 1, each)
	number("all of another owner", another, 2, each)
	if st := s.Stats(); st.Entries != 2*each || st.Total.Removals != each {
		t.Errorf("stats: %+v", st)
	}
	// A session that is stored again is of who stored it last.
	put(c, 1, 0, now+10)
	number("stored again", c, 1, each)
	mustPut(t, c, Origin{Owner: owners[0]}, testID(1000), []byte("der"), now+10)
	number("stored by another owner", c, 1, each-1)
	number("stored by another owner", c, 0, 1)

	c.Clear()
	for owner := range owners {
		number("cleared", c, owner, 0)
		number("cleared", another, owner, 0)
	}
	checkZero(t, s)
}

// TestPutBack takes a session and puts it back, in another process.
func TestPutBack(t *testing.T) {
	now := int64(testNow)
	before, s := newCache(t, &now, testKey(1))
	after := testCache(t, s, &now, testKey(2), testKey(1))
	mustPut(t, before, originA, testID(1), []byte("one"), now+10)
	for _, c := range []*Cache{before, after, before, testCache(t, s, &now, testKey(2), testKey(1))} {
		der, stored, ok := after.Take(originA, testID(1), nil)
		if !ok || string(der) != "one" {
			t.Fatalf("Take: %q, %v", der, ok)
		}
		mustMiss(t, after, originA, testID(1))
		mustPut(t, c, originA, testID(1), der, stored.Expires)
		mustMiss(t, after, originB, testID(1))
	}
	mustGet(t, after, originA, testID(1), []byte("one"))
	if n := s.Stats().Entries; n != 1 {
		t.Errorf("%d entries", n)
	}
}
