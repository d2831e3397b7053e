package shm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gosess/sessioncache"
)

// storeRoom is how many ordinary sessions a store of the smallest size holds.
func storeRoom(b *testing.B) int {
	store := openShm(b, sharedMapping(b, MinSize))
	fill(b, testCache(b, store, nil), 2*MinSize/150)
	return int(store.stats().Entries)
}

// fullOfOthers is a cache over a store that is full of sessions of clients that never come back.
func fullOfOthers(b *testing.B) *sessioncache.Cache {
	c := testCache(b, openShm(b, sharedMapping(b, MinSize)), nil)
	fill(b, c, 2*MinSize/150)
	return c
}

// BenchmarkUsedOnce is the hit ratio of clients that use a TLS 1.3 session once and get another one for it (RFC 8446,
// appendix C.4), where as many clients as given come back at random. The used ones are left to the store, as a cache without
// anti-replay leaves them. Sizes: one of two sessions takes a word more than the others.
func BenchmarkUsedOnce(b *testing.B) {
	for _, work := range []struct {
		name    string
		percent int // of the room
		more    int // bytes of one of two
	}{{"70%", 70, 0}, {"70%,sizes", 70, wordSize}, {"90%", 90, 0}} {
		b.Run(work.name, func(b *testing.B) {
			for b.Loop() {
				c, clients := fullOfOthers(b), storeRoom(b)*work.percent/100
				next := -1 // ids of others are positive
				held := make([][]byte, clients)
				renew := func(client int) {
					held[client] = testID(next)
					next--
					mustPut(b, c, sessioncache.Origin{}, held[client], testDER(held[client], 0, ordinaryDER+next&1*work.more), 1<<32-2)
				}
				rng := rand.New(rand.NewPCG(1, 2))
				for client := range clients {
					renew(client)
				}
				reportHits(b, clients, func() bool {
					client := rng.IntN(clients)
					_, _, hit := c.Spend(ctx, sessioncache.Origin{}, held[client], nil)
					renew(client)
					return hit
				})
			}
		})
	}
}

// BenchmarkReplaced is the hit ratio of clients that come back at random and store their session again each time, under
// the id that it has, where there are 1.2 times as many as the store has room for: at best 1 of 1.2 is there.
func BenchmarkReplaced(b *testing.B) {
	for b.Loop() {
		c, clients := fullOfOthers(b), storeRoom(b)*12/10
		rng := rand.New(rand.NewPCG(1, 2))
		reportHits(b, clients, func() bool {
			id := testID(-1 - rng.IntN(clients))
			_, _, hit := c.Get(ctx, sessioncache.Origin{}, id, nil)
			mustPut(b, c, sessioncache.Origin{}, id, testDER(id, 0, ordinaryDER), 1<<32-2)
			return hit
		})
	}
}

// BenchmarkLeaving is the hit ratio of clients that come at random, each so many times and then never, when another one comes
// in its place, beside that of an LRU that holds as many sessions. Those that still come need 0.7 of the room.
func BenchmarkLeaving(b *testing.B) {
	for _, times := range []int{2, 3, 8, 16} {
		b.Run(fmt.Sprint(times), func(b *testing.B) {
			for b.Loop() {
				c, room := fullOfOthers(b), storeRoom(b)
				l, clients := newLRU(room), room*7/10
				type client struct {
					number, left int
				}
				held := make([]client, clients)
				store := func(number int) {
					id := testID(number)
					mustPut(b, c, sessioncache.Origin{}, id, testDER(id, 0, ordinaryDER), 1<<32-2)
				}
				next := -1 // ids of others are positive
				begin := func(n, times int) {
					held[n] = client{next, times}
					next--
					store(held[n].number)
					l.visit(held[n].number)
				}
				visits, lruHits := 0, 0
				rng := rand.New(rand.NewPCG(1, 2))
				for n := range held {
					begin(n, 1+rng.IntN(times))
				}
				reportHits(b, clients, func() bool {
					n := rng.IntN(clients)
					_, _, hit := c.Get(ctx, sessioncache.Origin{}, testID(held[n].number), nil)
					if !hit {
						store(held[n].number)
					}
					if lruHit := l.visit(held[n].number); visits >= settled*clients && lruHit {
						lruHits++
					}
					visits++
					if held[n].left--; held[n].left == 0 {
						begin(n, times)
					}
					return hit
				})
				b.ReportMetric(100*float64(lruHits)/float64(visits-settled*clients), "lru%")
			}
		})
	}
}

// settled is how many times each client comes, in the mean, until a store has settled, and then again.
const settled = 10

// reportHits lets the clients come, and reports the hits of the second half.
func reportHits(b *testing.B, clients int, visit func() bool) {
	hits := 0
	for n := range 2 * settled * clients {
		if visit() && n >= settled*clients {
			hits++
		}
	}
	b.ReportMetric(100*float64(hits)/float64(settled*clients), "hit%")
}
