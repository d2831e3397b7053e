package storetest

import (
	"testing"

	"gosess/sessioncache"
)

func anySession([]byte, sessioncache.Seal) bool { return true }

func endsAt(expires int64) func(int64) int64 { return func(int64) int64 { return expires } }

func testChange(t *testing.T, empty Empty) {
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	id, other := ID(1), ID(2)
	Put(t, c, OriginA, id, []byte("a longer one"), now+10)
	Put(t, c, OriginA, other, []byte("other"), now+10)

	c.Change(ctx, id, []byte("one"), func(stored int64) int64 {
		if stored != now+10 {
			t.Errorf("it ended %d s from now", stored-now)
		}
		return now + 20
	}, anySession)
	now += 11
	Get(t, c, OriginA, id, []byte("one"))
	Miss(t, c, OriginB, id)
	Miss(t, c, sessioncache.Origin{Terms: OriginA.Terms, ServerName: "b.example"}, id)
	if n, err := c.Number(ctx, OriginA.Owner); n != 2 || err != nil {
		t.Errorf("the owner has %d, %v", n, err)
	}

	c.Change(ctx, id, []byte("two"), endsAt(now+10), func(der []byte, _ sessioncache.Seal) bool { return string(der) != "one" })
	Get(t, c, OriginA, id, []byte("one"))
	c.Change(ctx, id, []byte("three"), endsAt(now-1), anySession)
	Miss(t, c, OriginA, id)
	c.Change(ctx, id, []byte("four"), endsAt(now+10), anySession) // what has gone stays so
	Miss(t, c, OriginA, id)
	now -= 11
	Get(t, c, OriginA, other, []byte("other"))
	for _, der := range [][]byte{nil, make([]byte, sessioncache.MaxDER+1)} {
		Put(t, c, OriginA, id, []byte("one"), now+10)
		c.Change(ctx, id, der, endsAt(now+10), anySession)
		Miss(t, c, OriginA, id)
	}
	if st := stats(t, s); st.Total[sessioncache.Removals] != 3 || st.Total[sessioncache.Errors] != 0 || st.Entries != 1 {
		t.Errorf("stats: %+v", st)
	}
}

// testChangeOldKey changes what an older key has sealed: it stays under that.
func testChangeOldKey(t *testing.T, empty Empty) {
	now := int64(Now)
	before, s := newCache(t, empty, &now, Key(1))
	after := Cache(t, s, &now, Key(2), Key(1))
	Put(t, before, OriginA, ID(1), []byte("one"), now)
	after.Change(ctx, ID(1), []byte("two"), endsAt(now+10), anySession)
	Get(t, before, OriginA, ID(1), []byte("two"))
	Get(t, after, OriginA, ID(1), []byte("two"))
	Miss(t, after, OriginB, ID(1))
	if n, err := after.Number(ctx, OriginA.Owner); n != 1 || err != nil {
		t.Errorf("the owner has %d, %v", n, err)
	}
	if err := after.Flush(ctx, OriginA.Owner, 0); err != nil {
		t.Error(err)
	}
	Miss(t, before, OriginA, ID(1))
}

// testFlushed asks for one that has flushed: others' sessions that end before are none, and stay.
func testFlushed(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := newCache(t, empty, &now)
	id := ID(1)
	Put(t, c, OriginA, id, []byte("one"), now+10)
	for _, owner := range [][32]byte{{'a'}, {'b'}} {
		for _, flushed := range []int64{0, now + 10, now + 11, 1<<63 - 1} {
			o := OriginA
			o.Owner, o.Flushed = owner, flushed
			if owner == OriginA.Owner || flushed <= now+10 {
				Get(t, c, o, id, []byte("one"))
				continue
			}
			Miss(t, c, o, id)
			if _, _, ok := c.Take(ctx, o, id, nil); ok {
				t.Errorf("taken, flushed %d s from now", flushed-now)
			}
		}
	}
}
