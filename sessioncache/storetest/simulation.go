package sessioncache

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// model is what a cache of unlimited size would hold.
type model map[int]modelEntry // by id

type modelEntry struct {
	terms   byte
	name    string
	version uint32
	expires int64
}

// sim does random things to a cache and to a model.
type sim struct {
	t            *testing.T
	c            *Cache
	rng          *rand.Rand
	now          *int64
	firstID, ids int
	sizes        func(*rand.Rand) int
	exact        bool // nothing is evicted, so every miss has a reason
	alone        bool // and may move the clock
	held         model
	want         Counters // of those that the model knows
}

func (s *sim) step(version uint32) {
	id := s.firstID + s.rng.IntN(s.ids)
	terms := byte(id % 2)
	names := []string{"", "a.example", "B.example"}
	if s.rng.IntN(5) == 0 {
		terms = byte(s.rng.IntN(2))
	}
	o := Origin{Terms: [32]byte{terms}, ServerName: names[id%len(names)]}
	if s.rng.IntN(5) == 0 {
		o.ServerName = names[s.rng.IntN(len(names))]
	}
	entry, there := s.held[id]
	there = there && entry.expires >= *s.now
	switch n := s.rng.IntN(100); {
	case n < 40:
		expires := *s.now + int64(s.rng.IntN(50))
		mustPut(s.t, s.c, o, testID(id), testDER(testID(id), version, s.sizes(s.rng)), expires)
		s.held[id] = modelEntry{terms, o.ServerName, version, expires}
		s.want.Stores++
	case n < 90:
		if s.rng.IntN(2) == 0 {
			o.ServerName = strings.ToUpper(o.ServerName)
		}
		der, stored, ok := s.c.Get(o, testID(id), nil)
		should := there && entry.terms == terms && fits(entry.name, o.ServerName)
		if ok && !should {
			s.t.Fatalf("id %d: a hit, but the model has %+v at %d", id, entry, *s.now)
		}
		if ok && (checkDER(s.t, testID(id), der) != entry.version || stored.Expires != entry.expires) {
			s.t.Fatalf("id %d: not the entry that was put last", id)
		}
		if !ok && should && s.exact {
			s.t.Fatalf("id %d: a miss, but the model has %+v at %d", id, entry, *s.now)
		}
		if ok {
			s.want.Hits++
		} else {
			s.want.Misses++
		}
	case n < 95:
		agree := s.rng.IntN(2) == 0
		removed := s.c.Remove(testID(id), func(der []byte, _ Seal) bool {
			checkDER(s.t, testID(id), der)
			return agree
		})
		if removed && !(there && agree) || s.exact && !removed && there && agree {
			s.t.Fatalf("id %d: removed %v, but the model has %+v", id, removed, entry)
		}
		if removed {
			delete(s.held, id)
			s.want.Removals++
		}
	default:
		if s.alone && s.rng.IntN(10) == 0 {
			*s.now++
		}
	}
}

func smallSizes(rng *rand.Rand) int { return 100 + rng.IntN(200) }

func mixedSizes(rng *rand.Rand) int {
	if rng.IntN(10) == 0 {
		return 100 + rng.IntN(MaxDER-99)
	}
	return 100 + rng.IntN(2000)
}

// TestSimulation compares the cache with a model over random operations. In the
// rows with several actors each has ids of its own, and all have the same sets.
func TestSimulation(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for _, row := range []struct {
		name   string
		ops    int
		actors int
		ids    int // of each actor
		sizes  func(*rand.Rand) int
		exact  bool
	}{
		{"roomy", 4000 * thorough, 1, 1000, smallSizes, true},
		{"tight", 2000 * thorough, 1, 300, mixedSizes, false},
		{"roomy, 4 actors", 1000 * thorough, 4, 250, smallSizes, true},
		{"tight, 4 actors", 500 * thorough, 4, 100, mixedSizes, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Logf("seed %d", seed)
			now := int64(testNow)
			store := openShm(t, newMapping(MinSize))
			store.patience = time.Minute // no lock is stolen, however busy the machine
			var want Counters
			sims := make([]sim, row.actors)
			t.Run("actors", func(t *testing.T) {
				for a := range sims {
					t.Run("", func(t *testing.T) {
						t.Parallel()
						s := &sims[a]
						*s = sim{
							t: t, c: testCache(t, store, &now), now: &now,
							rng:     rand.New(rand.NewPCG(seed, uint64(a))),
							firstID: a * row.ids, ids: row.ids, sizes: row.sizes,
							exact: row.exact, alone: row.actors == 1, held: model{},
						}
						for n := range row.ops {
							s.step(uint32(n))
						}
					})
				}
			})
			for _, s := range sims {
				want.Hits += s.want.Hits
				want.Misses += s.want.Misses
				want.Stores += s.want.Stores
				want.Removals += s.want.Removals
			}
			st := store.Stats()
			want.Evictions, want.Expiries = st.Total.Evictions, st.Total.Expiries
			if st.Total != want {
				t.Errorf("counters %+v, not %+v", st.Total, want)
			}
			if (st.Total.Evictions > 0) == row.exact {
				t.Errorf("%d evictions", st.Total.Evictions)
			}
			t.Logf("%d entries, %d %% used, %+v", st.Entries, st.Used*100/st.Capacity, st.Total)
			checkStore(t, store)
		})
	}
}
