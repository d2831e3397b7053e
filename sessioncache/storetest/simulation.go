package storetest

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gosess/sessioncache"
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
	c            *sessioncache.Cache
	rng          *rand.Rand
	now          *int64
	firstID, ids int
	sizes        func(*rand.Rand) int
	exact        bool // nothing is evicted, so every miss has a reason
	alone        bool // and may move the clock
	held         model
	want         sessioncache.Counters // of those that the model knows
}

func (s *sim) step(version uint32) {
	id := s.firstID + s.rng.IntN(s.ids)
	terms := byte(id % 2)
	names := []string{"", "a.example", "B.example"}
	if s.rng.IntN(5) == 0 {
		terms = byte(s.rng.IntN(2))
	}
	o := sessioncache.Origin{Terms: [32]byte{terms}, ServerName: names[id%len(names)]}
	if s.rng.IntN(5) == 0 {
		o.ServerName = names[s.rng.IntN(len(names))]
	}
	entry, there := s.held[id]
	there = there && entry.expires >= *s.now
	switch n := s.rng.IntN(100); {
	case n < 40:
		expires := *s.now + int64(s.rng.IntN(50))
		Put(s.t, s.c, o, ID(id), DER(ID(id), version, s.sizes(s.rng)), expires)
		s.held[id] = modelEntry{terms, o.ServerName, version, expires}
		s.want[sessioncache.Stores]++
	case n < 90:
		if s.rng.IntN(2) == 0 {
			o.ServerName = strings.ToUpper(o.ServerName)
		}
		der, stored, ok := s.c.Get(ctx, o, ID(id), nil)
		should := there && entry.terms == terms && fits(entry.name, o.ServerName)
		if ok && !should {
			s.t.Fatalf("id %d: a hit, but the model has %+v at %d", id, entry, *s.now)
		}
		if ok && (CheckDER(s.t, ID(id), der) != entry.version || stored.Expires != entry.expires) {
			s.t.Fatalf("id %d: not the entry that was put last", id)
		}
		if !ok && should && s.exact {
			s.t.Fatalf("id %d: a miss, but the model has %+v at %d", id, entry, *s.now)
		}
		if ok {
			s.want[sessioncache.Hits]++
		} else {
			s.want[sessioncache.Misses]++
		}
	case n < 95:
		agree := s.rng.IntN(2) == 0
		removed := s.c.Remove(ctx, ID(id), func(der []byte, _ sessioncache.Seal) bool {
			CheckDER(s.t, ID(id), der)
			return agree
		})
		if removed && !(there && agree) || s.exact && !removed && there && agree {
			s.t.Fatalf("id %d: removed %v, but the model has %+v", id, removed, entry)
		}
		if removed {
			delete(s.held, id)
			s.want[sessioncache.Removals]++
		}
	default:
		if s.alone && s.rng.IntN(10) == 0 {
			*s.now++
		}
	}
}

// SmallSizes draws the size of a session without a client certificate.
func SmallSizes(rng *rand.Rand) int { return 100 + rng.IntN(200) }

// Simulation says what is done at random to a store, at the same time by actors that have ids of their own.
type Simulation struct {
	Ops    int // of each actor, as its IDs
	Actors int
	IDs    int
	Sizes  func(*rand.Rand) int
	Exact  bool // nothing is evicted, so every miss has a reason
}

// Run compares a cache over the store with a model.
func (sn Simulation) Run(t *testing.T, store sessioncache.Store) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	now := int64(Now)
	sims := make([]sim, sn.Actors)
	t.Run("actors", func(t *testing.T) {
		for a := range sims {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				s := &sims[a]
				*s = sim{
					t: t, c: Cache(t, store, &now), now: &now,
					rng:     rand.New(rand.NewPCG(seed, uint64(a))),
					firstID: a * sn.IDs, ids: sn.IDs, sizes: sn.Sizes,
					exact: sn.Exact, alone: sn.Actors == 1, held: model{},
				}
				for n := range sn.Ops {
					s.step(uint32(n))
				}
			})
		}
	})
	var want sessioncache.Counters
	for _, s := range sims {
		for c, n := range s.want {
			want[c] += n
		}
	}
	st := stats(t, store)
	want[sessioncache.Evictions], want[sessioncache.Expiries] = st.Total[sessioncache.Evictions], st.Total[sessioncache.Expiries]
	if Basic(t, st.Total) != want {
		t.Errorf("counters %v, not %v", st.Total, want)
	}
	if (st.Total[sessioncache.Evictions] > 0) == sn.Exact {
		t.Errorf("%d evictions", st.Total[sessioncache.Evictions])
	}
	t.Logf("%d entries, %d %% used, %v", st.Entries, st.Used*100/st.Capacity, st.Total)
}

func testSimulation(t *testing.T, empty Empty) {
	for name, s := range map[string]Simulation{
		"alone":    {Ops: 4000 * Thorough, Actors: 1, IDs: 1000, Sizes: SmallSizes, Exact: true},
		"4 actors": {Ops: 1000 * Thorough, Actors: 4, IDs: 250, Sizes: SmallSizes, Exact: true},
	} {
		t.Run(name, func(t *testing.T) { s.Run(t, empty(t)(t)) })
	}
}
