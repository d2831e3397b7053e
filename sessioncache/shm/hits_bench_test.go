package shm

import (
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

// reportHits lets each of the clients come 10 times in the mean until the store has settled, then 10 times more.
func reportHits(b *testing.B, clients int, visit func() bool) {
	const visits = 10
	hits := 0
	for n := range 2 * visits * clients {
		if visit() && n >= visits*clients {
			hits++
		}
	}
	b.ReportMetric(100*float64(hits)/float64(visits*clients), "hit%")
}
