package storetest

import (
	"testing"

	"gosess/sessioncache"
)

// Basic are the counters without the reasons of misses, which must add up to these, and the age of what made way.
func Basic(t testing.TB, counters sessioncache.Counters) sessioncache.Counters {
	t.Helper()
	sum := uint64(0)
	for c := sessioncache.MissedAbsent; c <= sessioncache.MissedBroken; c++ {
		sum += counters[c]
		counters[c] = 0
	}
	if sum != counters[sessioncache.Misses] {
		t.Errorf("%d misses, and the reasons of %d", counters[sessioncache.Misses], sum)
	}
	counters[sessioncache.EvictionAge] = 0
	return counters
}

// testReasons looks why each of some lookups is a miss.
func testReasons(t *testing.T, empty Empty) {
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	spoilt := Cache(t, s, &now, Key(2), Key(1)) // what it seals first nobody else opens
	stranger, other := OriginA, OriginB
	stranger.ServerName = "b.example"
	flushed := OriginA
	flushed.Owner[0]++
	flushed.Flushed = now + 11
	Put(t, c, OriginA, ID(1), []byte("one"), now+10)
	for _, test := range []struct {
		origin sessioncache.Origin
		id     int
		after  int64
		want   sessioncache.Counter
	}{
		{OriginA, 2, 0, sessioncache.MissedAbsent},
		{other, 1, 0, sessioncache.MissedTerms},
		{stranger, 1, 0, sessioncache.MissedName},
		{flushed, 1, 0, sessioncache.MissedAbsent},
		{OriginA, 1, 11, sessioncache.MissedExpired},
		{OriginA, 1, 11, sessioncache.MissedAbsent}, // it has been dropped
	} {
		before := stats(t, s).Total
		now = Now + test.after
		Miss(t, spoilt, test.origin, ID(test.id))
		after := stats(t, s).Total
		if after[test.want] != before[test.want]+1 || after[sessioncache.Misses] != before[sessioncache.Misses]+1 {
			t.Errorf("session %d, of %q, after %d s: %v, then %v", test.id, test.origin.ServerName, test.after, before, after)
		}
		Basic(t, after)
	}

	// Who would have taken what cannot be used has not taken it.
	now = Now
	Put(t, c, OriginA, ID(4), []byte("four"), now+10)
	now += 11
	for _, want := range []sessioncache.Counter{sessioncache.MissedExpired, sessioncache.MissedAbsent} {
		before := stats(t, s).Total
		if _, _, ok := c.Take(ctx, OriginA, ID(4), nil); ok {
			t.Error("what has expired is taken")
		}
		if after := stats(t, s).Total; after[want] != before[want]+1 {
			t.Errorf("%v: %v, then %v", want, before, after)
		}
	}
}
