package storetest

import (
	"fmt"
	"slices"
	"testing"

	"gosess/sessioncache"
)

// heard is the news that a cache has told.
type heard struct {
	t    testing.TB
	name map[sessioncache.LookupKey]string
	news []string
}

func (h *heard) Stored(key *sessioncache.LookupKey, expires uint32) {
	h.news = append(h.news, fmt.Sprintf("%s until %d", h.name[*key], int64(expires)-Now))
}
func (h *heard) Removed(key *sessioncache.LookupKey, expires uint32) {
	h.news = append(h.news, fmt.Sprintf("%s until %d removed", h.name[*key], int64(expires)-Now))
}
func (h *heard) Flushed(owner *sessioncache.Tag, before uint32) {
	h.news = append(h.news, fmt.Sprintf("flushed: all %v, before %d", owner == nil, before))
}
func (h *heard) Made(key *sessioncache.LookupKey, expires uint32) {
	h.news = append(h.news, fmt.Sprintf("%s made until %d", h.name[*key], int64(expires)-Now))
}

// hear has a cache tell its news. Sessions and records are named by their number, and a prime for each older key.
func hear(t testing.TB, c *sessioncache.Cache) *heard {
	h := &heard{t: t, name: map[sessioncache.LookupKey]string{}}
	for n := range 10 {
		for i, key := range append(c.Keys(ID(n), nil), c.RecordKeys(fmt.Sprint(n), nil)...) {
			h.name[key] = fmt.Sprint(n, "/", i)
		}
	}
	c.Tell(h)
	return h
}

func (h *heard) want(what string, news ...string) {
	h.t.Helper()
	if !slices.Equal(h.news, news) {
		h.t.Errorf("%s: it told %q, not %q", what, h.news, news)
	}
	h.news = nil
}

// testNews has a cache tell what other stores must learn, and nothing else.
func testNews(t *testing.T, empty Empty) {
	now := int64(Now)
	before, s := newCache(t, empty, &now, Key(1))
	Put(t, before, OriginA, ID(1), []byte("one"), now+10)
	c := Cache(t, s, &now, Key(2), Key(1))
	h := hear(t, c)
	other := func([]byte, sessioncache.Seal) bool { return false }

	Put(t, c, OriginA, ID(1), []byte("two"), now+20)
	h.want("a put over what an older key has sealed", "1/1 until 10 removed", "1/0 until 20")
	c.Put(ctx, OriginA, sessioncache.Session{ID: ID(2), DER: []byte("x"), Expires: now - 1})
	c.Remove(ctx, ID(1), other)
	c.Change(ctx, ID(1), []byte("x"), endsAt(now), other)
	c.Learn(ctx, OriginA.Owner, "a.example", OriginA.Terms)
	Get(t, c, OriginA, ID(1), []byte("two"))
	h.want("what changes nothing")
	c.Change(ctx, ID(1), []byte("three"), endsAt(now+30), anySession)
	h.want("a change", "1/0 until 30")
	c.Change(ctx, ID(1), nil, endsAt(now+30), anySession)
	h.want("a change to nothing", "1/0 until 30 removed")

	Put(t, c, OriginA, ID(3), []byte("three"), now+1)
	if _, stored, ok := c.Take(ctx, OriginB, ID(3), nil); ok || stored.Absent {
		t.Errorf("of other terms: %v, absent %v", ok, stored.Absent)
	}
	h.want("a take that leaves it", "3/0 until 1", "3/0 until 1")
	if _, _, ok := c.Take(ctx, OriginA, ID(3), nil); !ok {
		t.Error("not taken")
	}
	if _, _, ok := c.Take(ctx, OriginA, ID(3), nil); ok {
		t.Error("taken twice")
	}
	h.want("a take")
	if _, stored, ok := c.Get(ctx, OriginB, ID(4), nil); ok || !stored.Absent {
		t.Errorf("never there: %v, absent %v", ok, stored.Absent)
	}

	Put(t, c, OriginA, ID(5), []byte("five"), now+1)
	c.Remove(ctx, ID(5), anySession)
	c.Remove(ctx, ID(5), anySession)
	c.Flush(ctx, OriginA.Owner, 7)
	c.Clear(ctx)
	h.want("removals", "5/0 until 1", "5/0 until 1 removed",
		"flushed: all false, before 7", "flushed: all false, before 7", // under each key it has another tag
		"flushed: all true, before 0")

	Put(t, c, OriginA, ID(6), []byte("six"), now+1)
	h.news = nil
	now += 2
	Miss(t, c, OriginA, ID(6))
	h.want("what has expired")
}

func testNewsOfRecords(t *testing.T, empty Empty) {
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	h := hear(t, c)
	for range 2 {
		_ = c.AddRecord(ctx, "7", []byte("value"), now+5)
	}
	if _, ok := s.(sessioncache.Records); ok {
		h.want("a record that is made twice", "7/1 made until 5")
	} else {
		h.want("a record that there is no room for")
	}
}
