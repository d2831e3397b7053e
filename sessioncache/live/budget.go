package live

import (
	"os"
	"sync/atomic"
	"time"

	"gosess/sessioncache"
)

// The server decides how many sessions are kept, and the client how large its own are, by its certificate.
// So all that are larger than largeObject bytes together take no more than a part of the budget.
const (
	largeObject     = 8 << 10
	largeBudgetPart = 4
)

// Budget is what all the Memories of one store share: the bytes that they may hold
// together, and the counters. All methods are safe for concurrent use.
type Budget struct {
	bytes   int64
	created int64
	used    atomic.Int64
	large   atomic.Int64 // of that, by large sessions
	kept    atomic.Int64
	counts  [shardCount]stripe
}

// stripe is the part of the counters that the same shard of all Memories counts in, so
// that threads seldom write the same cache line.
type stripe struct {
	counts [sessioncache.CounterCount]atomic.Uint64
	_      [128 - 8*sessioncache.CounterCount%128]byte
}

// NewBudget makes a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{bytes: bytes, created: time.Now().Unix()}
}

// most is what all sessions, or all large ones, may hold together.
func (b *Budget) most(large bool) int64 {
	if large {
		return b.bytes / largeBudgetPart
	}
	return b.bytes
}

// over reports whether they hold more.
func (b *Budget) over(large bool) bool {
	if large {
		return b.large.Load() > b.most(true)
	}
	return b.used.Load() > b.most(false)
}

// take notes what an entry takes, or gives back where it is less than nothing.
func (b *Budget) take(e *entry, bytes int64) {
	b.used.Add(bytes)
	if e.large {
		b.large.Add(bytes)
	}
}

func (b *Budget) count(shard int, c sessioncache.Counter) {
	b.counts[shard].counts[c].Add(1)
}

// Stats returns the counters, and what all Memories hold. The one worker is this process.
func (b *Budget) Stats() sessioncache.Stats {
	var total sessioncache.Counters
	for n := range b.counts {
		for c := range total {
			total[c] += b.counts[n].counts[c].Load()
		}
	}
	return sessioncache.Stats{
		Total:    total,
		Workers:  []sessioncache.Worker{{PID: os.Getpid(), Started: b.created, Live: true, Counters: total}},
		Entries:  uint64(max(b.kept.Load(), 0)),
		Used:     uint64(max(b.used.Load(), 0)),
		Capacity: uint64(b.bytes),
		Size:     uint64(b.bytes),
		Created:  b.created,
	}
}

// Any reports whether any Memory holds a session.
func (b *Budget) Any() bool { return b.kept.Load() > 0 }
