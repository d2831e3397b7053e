package sessioncache

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestBitFlips flips bits of a full store, one after the other, and looks sessions up and
// stores some all the while: what is found is right. Now and then the store is opened again.
func TestBitFlips(t *testing.T) {
	const flips, perStore, ids = 12500 * thorough, 250, 6000
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	now := int64(testNow)
	pristine, mapping := newMapping(MinSize), newMapping(MinSize)
	c := testCache(t, openShm(t, pristine), &now)
	for n := range ids {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, 100+n%100), now+10)
	}
	bits := func(m *Shm) (at, bit int) {
		set := setsAt + rng.IntN(m.sets)*m.setSize
		switch rng.IntN(4) { // a quarter of them each where it matters most
		case 0:
			at = set + rng.IntN(setHeaderSize)
		case 1:
			at = m.metas(set) + rng.IntN(m.slots)
		case 2:
			at = set + rng.IntN(m.setSize)
		default:
			at = headerSize/wordSize + rng.IntN(MinSize/wordSize-headerSize/wordSize)
		}
		return at, rng.IntN(64)
	}
	hits, misses, refused := 0, 0, 0
	for n := 0; n < flips; n += perStore {
		copy(mapping, pristine)
		s := openShm(t, mapping)
		s.patience = 0 // a lock word that means nothing holds nobody up, but the test would wait for each
		c := testCache(t, s, &now)
		for range perStore {
			at, bit := bits(s)
			s.w[at] ^= 1 << bit
			for range 6 {
				id := testID(rng.IntN(ids))
				if der, _, ok := c.Get(originA, id, nil); ok {
					checkDER(t, id, der)
					hits++
				} else {
					misses++
				}
			}
			if rng.IntN(10) == 0 {
				id := testID(rng.IntN(ids))
				if _, err := c.Put(originA, Session{id, testDER(id, 0, 150), now + 10}); err != nil {
					t.Fatal(err)
				}
				mustGet(t, c, originA, id, testDER(id, 0, 150))
			}
		}
		s.Stats()
		// A flip of the header is seen by whoever opens the store next.
		mapping[rng.IntN(headerSize)] ^= 1 << rng.IntN(8)
		if _, err := OpenShm(mapping); err != nil {
			refused++
		}
	}
	t.Logf("%d flips: %d hits, %d misses; %d of %d stores with a flip in the header were refused", flips, hits, misses, refused, flips/perStore)
	if refused != flips/perStore || hits < misses/4 {
		t.Error("that is not what was to be expected")
	}
}

// TestGenerations wraps the generation of a set: an entry never looks like the one that
// was at its place before, and none looks free or dead.
func TestGenerations(t *testing.T) {
	for _, from := range []uint64{0, 1<<31 - 5, 1<<32 - 5, 1<<63 - 5, 1<<64 - 5} {
		s := openShm(t, newMapping(MinSize))
		s.store(setsAt+setGeneration, from)
		var before, after Entry
		for range 10 {
			if err := s.Put(setKey(1), make([]byte, 100), 2, 1); err != nil || !s.Find(setKey(1), &after) {
				t.Fatalf("generation %d: %v", from, err)
			}
			if after.meta == before.meta || !isLive(after.meta) {
				t.Errorf("generation %d: meta %#x after %#x", from, after.meta, before.meta)
			}
			if before.meta != 0 && s.Drop(&before) {
				t.Errorf("generation %d: the entry before was dropped again", from)
			}
			before = after
		}
		if !s.Drop(&after) || s.Find(setKey(1), &after) {
			t.Errorf("generation %d: not dropped", from)
		}
		checkStore(t, s)
		checkZero(t, s)
	}
}

// TestClockJumps moves the clock an hour on, back, and back further than to when the
// sessions were made. Expiry follows the clock, and nothing else does.
func TestClockJumps(t *testing.T) {
	const hour = 3600
	now := int64(testNow)
	c, s := newCache(t, &now)
	put := func(n int, lifetime int64) {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now+lifetime)
	}
	there := func(what string, n int, want bool) {
		t.Helper()
		der, _, ok := c.Get(originA, testID(n), nil)
		if ok != want {
			t.Errorf("%s: session %d is there: %v", what, n, ok)
		}
		if ok {
			checkDER(t, testID(n), der)
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
	if got := s.Stats().Total; got.Errors != 0 || got.Evictions != 0 {
		t.Errorf("counters: %+v", got)
	}
	checkStore(t, s)
}

// TestEntriesTooLarge stores what is as large as may be, and what is larger: the second is
// refused and counted, and costs nobody else's session.
func TestEntriesTooLarge(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	mustPut(t, c, originA, testID(1), testDER(testID(1), 0, ordinaryDER), now)
	for n, size := range []int{MaxDER + 1, 1 << 17, 1 << 20, 10 << 20} {
		if _, err := c.Put(originA, Session{testID(2), testDER(testID(2), 0, size), now}); err != ErrTooBig {
			t.Errorf("%d bytes: %v", size, err)
		}
		if got := s.Stats().Total; got.TooBig != uint64(n+1) || got.Evictions != 0 {
			t.Errorf("%d bytes: %+v", size, got)
		}
	}
	if err := s.Put(setKey(1), make([]byte, maxSealed+1), 2, 1); err != ErrTooBig {
		t.Errorf("an entry beyond the format: %v", err)
	}
	mustMiss(t, c, originA, testID(2))
	mustGet(t, c, originA, testID(1), testDER(testID(1), 0, ordinaryDER))
	mustPut(t, c, originA, testID(2), testDER(testID(2), 0, MaxDER), now)
	mustGet(t, c, originA, testID(2), testDER(testID(2), 0, MaxDER))
}
