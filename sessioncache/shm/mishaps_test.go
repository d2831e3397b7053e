package shm

import (
	"math/rand/v2"
	"testing"
	"time"

	"gosess/sessioncache"
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
	bits := func(m *Store) (at, bit int) {
		set := firstSet + rng.IntN(m.sets)*m.setSize
		switch rng.IntN(4) { // a quarter of them each where it matters most
		case 0:
			at = set + rng.IntN(setHeaderSize)
		case 1:
			at = m.slot(set, rng.IntN(setSlots))
		case 2:
			at = set + rng.IntN(m.setSize)
		default:
			at = HeaderSize/wordSize + rng.IntN(MinSize/wordSize-HeaderSize/wordSize)
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
				if der, _, ok := c.Get(ctx, originA, id, nil); ok {
					checkDER(t, id, der)
					hits++
				} else {
					misses++
				}
			}
			if rng.IntN(10) == 0 {
				id := testID(rng.IntN(ids))
				if _, err := c.Put(ctx, originA, sessioncache.Session{ID: id, DER: testDER(id, 0, 150), Expires: now + 10}); err != nil {
					t.Fatal(err)
				}
				mustGet(t, c, originA, id, testDER(id, 0, 150))
			}
		}
		s.stats()
		// A flip of the header is seen by whoever opens the store next.
		mapping[rng.IntN(HeaderSize)] ^= 1 << rng.IntN(8)
		if _, err := Open(mapping); err != nil {
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
	for _, from := range []uint64{0, 1<<23 - 5, 1<<31 - 5, 1<<32 - 5, 1<<63 - 5, 1<<64 - 5} {
		s := openShm(t, newMapping(MinSize))
		s.store(firstSet+setGeneration, from)
		var before, after sessioncache.Entry
		for range 10 {
			if err := s.Put(ctx, setKey(1), make([]byte, 100), 2, 1); err != nil || !find(s, setKey(1), &after) {
				t.Fatalf("generation %d: %v", from, err)
			}
			if after.Handle == before.Handle || !isLive(after.Handle[1]) {
				t.Errorf("generation %d: slot word %#x after %#x", from, after.Handle[1], before.Handle[1])
			}
			if before.Handle[1] != 0 && drop(s, &before) {
				t.Errorf("generation %d: the entry before was dropped again", from)
			}
			before = after
		}
		if !drop(s, &after) || find(s, setKey(1), &after) {
			t.Errorf("generation %d: not dropped", from)
		}
		checkStore(t, s)
		checkZero(t, s)
	}
}

// TestEntriesTooLarge stores what is as large as may be, and what is larger: the second is
// refused and counted, and costs nobody else's session.
func TestEntriesTooLarge(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	mustPut(t, c, originA, testID(1), testDER(testID(1), 0, ordinaryDER), now)
	for n, size := range []int{sessioncache.MaxDER + 1, 1 << 17, 1 << 20, 10 << 20} {
		if _, err := c.Put(ctx, originA, sessioncache.Session{ID: testID(2), DER: testDER(testID(2), 0, size), Expires: now}); err != sessioncache.ErrTooBig {
			t.Errorf("%d bytes: %v", size, err)
		}
		if got := s.stats().Total; got[sessioncache.TooBig] != uint64(n+1) || got[sessioncache.Evictions] != 0 {
			t.Errorf("%d bytes: %+v", size, got)
		}
	}
	if err := s.Put(ctx, setKey(1), make([]byte, maxSealed+1), 2, 1); err != sessioncache.ErrTooBig {
		t.Errorf("an entry beyond the format: %v", err)
	}
	mustMiss(t, c, originA, testID(2))
	mustGet(t, c, originA, testID(1), testDER(testID(1), 0, ordinaryDER))
	mustPut(t, c, originA, testID(2), testDER(testID(2), 0, sessioncache.MaxDER), now)
	mustGet(t, c, originA, testID(2), testDER(testID(2), 0, sessioncache.MaxDER))
}
