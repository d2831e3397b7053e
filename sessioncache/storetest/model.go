package storetest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gosess/sessioncache"
)

// Op is something to be done to a cache, and Answer what came of it.
type Op struct {
	What    string
	Origin  sessioncache.Origin
	ID, DER []byte
	Expires int64
	Now     int64
	Agree   bool // of a removal: it is the one
}

type Answer struct {
	OK      bool
	Expires int64
	DER     []byte
	Err     string
}

// Do does it to a cache.
func (op Op) Do(c *sessioncache.Cache) (a Answer) {
	c.SetClock(func() int64 { return op.Now })
	var stored sessioncache.Stored
	var err error
	switch op.What {
	case "put":
		_, err = c.Put(ctx, op.Origin, sessioncache.Session{ID: op.ID, DER: op.DER, Expires: op.Expires})
	case "get":
		a.DER, stored, a.OK = c.Get(ctx, op.Origin, op.ID, nil)
	case "take":
		a.DER, stored, a.OK = c.Take(ctx, op.Origin, op.ID, nil)
	case "remove", "has":
		look := c.Remove
		if op.What == "has" {
			look = func(ctx context.Context, id []byte, same func([]byte, sessioncache.Seal) bool) bool {
				return c.Has(ctx, op.Origin.Owner, id, same)
			}
		}
		a.OK = look(ctx, op.ID, func(der []byte, _ sessioncache.Seal) bool {
			a.DER = append(a.DER[:0], der...)
			return op.Agree
		})
	case "flush":
		err = c.Flush(ctx, op.Origin.Owner, op.Expires)
	}
	if err != nil {
		a.Err = err.Error()
	}
	a.Expires = stored.Expires
	return a
}

// Equal reports whether two answers are the same.
func (a Answer) Equal(b Answer) bool {
	return a.OK == b.OK && a.Expires == b.Expires && a.Err == b.Err && bytes.Equal(a.DER, b.DER)
}

// RandomOp is one of those that servers do, at a time. The version makes its session another one.
func RandomOp(rng *rand.Rand, now int64, version uint32) Op {
	id := rng.IntN(150)
	names := []string{"", "a.example", "B.example"}
	op := Op{
		ID: ID(id), Now: now, Agree: rng.IntN(2) == 0,
		Origin: sessioncache.Origin{Owner: [32]byte{byte(rng.IntN(2))}, Terms: [32]byte{byte(id % 5)}, ServerName: names[id%len(names)]},
	}
	if rng.IntN(5) == 0 {
		op.Origin.ServerName = names[rng.IntN(len(names))]
	} else if rng.IntN(5) == 0 {
		op.Origin.Terms = [32]byte{byte(rng.IntN(5))}
	}
	switch n := rng.IntN(100); {
	case n < 35:
		op.What, op.Expires = "put", now-1+int64(rng.IntN(30))
		op.DER = DER(op.ID, version, 100+rng.IntN(300))
		switch rng.IntN(200) {
		case 0:
			op.DER = DER(op.ID, version, sessioncache.MaxDER+1)
		case 1, 2:
			op.DER = DER(op.ID, version, 2000) // not large: two of those push each other out of a set
		}
	case n < 75:
		op.What = "get"
	case n < 85:
		op.What = "take"
	case n < 95:
		op.What = "remove"
	case n < 98:
		op.What = "has"
	default:
		op.What, op.Expires = "flush", now+int64(rng.IntN(10))
	}
	return op
}

// fits says what names have in common in other words than the cache.
func fits(a, b string) bool { return a == "" || b == "" || strings.EqualFold(a, b) }

// Model is what a cache is to be, where nothing makes way: by id, what was put.
type Model map[string]Op

// Do does the same to the model as Op.Do to a cache.
func (m Model) Do(op Op) (a Answer) {
	key := string(op.ID)
	entry, ok := m[key]
	if ok && entry.Expires < op.Now && op.What != "flush" {
		// It is dropped when it is seen; a put of something else in its set may have been first.
		ok = false
		if op.What != "put" {
			delete(m, key)
		}
	}
	same := ok && entry.Origin.Terms == op.Origin.Terms && fits(entry.Origin.ServerName, op.Origin.ServerName)
	switch op.What {
	case "put":
		switch {
		case len(op.DER) > sessioncache.MaxDER:
			a.Err = sessioncache.ErrTooBig.Error()
		case op.Expires < op.Now:
			a.Err = sessioncache.ErrExpired.Error()
		default:
			m[key] = op
		}
	case "get", "take":
		if same {
			a = Answer{OK: true, DER: entry.DER, Expires: entry.Expires}
			if op.What == "take" {
				delete(m, key)
			}
		}
	case "remove":
		if ok {
			a.DER = entry.DER
			if a.OK = op.Agree; a.OK {
				delete(m, key)
			}
		}
	case "has":
		if ok {
			a.DER, a.OK = entry.DER, op.Agree && entry.Origin.Owner == op.Origin.Owner
		}
	case "flush":
		for key, entry := range m {
			if entry.Origin.Owner == op.Origin.Owner && (op.Expires == 0 || entry.Expires < op.Expires) {
				delete(m, key)
			}
		}
	}
	return a
}

// Check fails unless a cache holds just what the model does. Its clock stands at now.
func (m Model) Check(t testing.TB, c *sessioncache.Cache, now int64) {
	t.Helper()
	held := uint64(0)
	for id, entry := range m {
		if entry.Expires < now {
			c.Get(ctx, entry.Origin, []byte(id), nil) // which drops it, if nobody has seen it since
			continue
		}
		held++
		if !c.Has(ctx, entry.Origin.Owner, []byte(id), func(der []byte, _ sessioncache.Seal) bool { return bytes.Equal(der, entry.DER) }) {
			t.Errorf("session %x is not there, or not what was put", id[:4])
		}
	}
	st := stats(t, c)
	if st.Entries != held {
		t.Errorf("%d entries, want %d", st.Entries, held)
	}
	if st.Total[sessioncache.Errors] != 0 || st.Total[sessioncache.Evictions] != 0 {
		t.Errorf("counters: %v", st.Total)
	}
}

// testModel does random things, with one of several handles of a store each time, and the same to a
// model: what is done with one the others see.
func testModel(t *testing.T, empty Empty) {
	seed := uint64(time.Now().UnixNano())
	for _, handles := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d handles", handles), func(t *testing.T) {
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, uint64(handles)))
			open := empty(t)
			var caches []*sessioncache.Cache
			for range handles {
				caches = append(caches, Cache(t, open(t), nil))
			}
			m := Model{}
			now := int64(Now)
			for n := range 500 * Thorough {
				if rng.IntN(50) == 0 {
					now += int64(rng.IntN(5))
				}
				op := RandomOp(rng, now, uint32(n))
				if got, want := op.Do(caches[rng.IntN(handles)]), m.Do(op); !got.Equal(want) {
					t.Fatalf("operation %d: %s of id %x: got %v %d %q, the model %v %d %q", n, op.What, op.ID[:2],
						got.OK, len(got.DER), got.Err, want.OK, len(want.DER), want.Err)
				}
			}
			m.Check(t, Cache(t, open(t), &now), now)
		})
	}
}
