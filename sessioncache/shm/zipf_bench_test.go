package shm

import (
	"container/list"
	"math/rand/v2"
	"testing"

	"gosess/sessioncache"
)

// lru is a true LRU of whole sessions, for comparison.
type lru struct {
	room  int
	order *list.List
	at    map[int]*list.Element
}

func newLRU(room int) *lru {
	return &lru{room: room, order: list.New(), at: map[int]*list.Element{}}
}

// visit says whether n was there, and makes it the newest.
func (l *lru) visit(n int) bool {
	if e := l.at[n]; e != nil {
		l.order.MoveToFront(e)
		return true
	}
	l.at[n] = l.order.PushFront(n)
	if len(l.at) > l.room {
		oldest := l.order.Back()
		delete(l.at, l.order.Remove(oldest).(int))
	}
	return false
}

// BenchmarkZipf is the hit ratio on a trace of clients of which few come often, with ten times
// more sessions than room, beside that of an LRU that holds as many sessions.
func BenchmarkZipf(b *testing.B) {
	const (
		requests = 500_000
		exponent = 1.01
	)
	for b.Loop() {
		room := storeRoom(b)
		c := testCache(b, openShm(b, sharedMapping(b, MinSize)), nil)
		l := newLRU(room)
		zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), exponent, 1, uint64(10*room-1))
		ids := make([][]byte, 10*room)
		for n := range ids {
			ids[n] = testID(n)
		}
		der := testDER(ids[0], 0, ordinaryDER)
		hits, lruHits, counted := 0, 0, 0
		for n := range requests {
			client := int(zipf.Uint64())
			_, _, hit := c.Get(ctx, sessioncache.Origin{}, ids[client], nil)
			if !hit {
				mustPut(b, c, sessioncache.Origin{}, ids[client], der, 1<<32-2)
			}
			lruHit := l.visit(client)
			if n < requests/5 { // both fill up first
				continue
			}
			counted++
			if hit {
				hits++
			}
			if lruHit {
				lruHits++
			}
		}
		b.ReportMetric(100*float64(hits)/float64(counted), "hit%")
		b.ReportMetric(100*float64(lruHits)/float64(counted), "lru%")
		b.ReportMetric(float64(room), "room")
	}
}
