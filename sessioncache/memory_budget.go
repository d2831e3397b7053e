package sessioncache

import (
	"os"
	"sync/atomic"
	"time"
)

// Budget is what all the Memories of one store share: the bytes that they may hold
// together, and the counters. All methods are safe for concurrent use.
type Budget struct {
	bytes   int64
	created int64
	used    atomic.Int64
	kept    atomic.Int64
	counts  [shardCount]stripe
}

// stripe is the part of the counters that the same shard of all Memories counts in, so
// that threads seldom write the same cache line.
type stripe struct {
	counts [counterCount]atomic.Uint64
	_      [128 - 8*counterCount]byte
}

// NewBudget makes a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{bytes: bytes, created: time.Now().Unix()}
}

func (b *Budget) count(shard int, c Counter) {
	b.counts[shard].counts[c].Add(1)
}

// Stats returns the counters, and what all Memories hold. The one worker is this process.
func (b *Budget) Stats() Stats {
	var sum [counterCount]uint64
	for n := range b.counts {
		for c := range sum {
			sum[c] += b.counts[n].counts[c].Load()
		}
	}
	total := countersOf(sum)
	return Stats{
		Total:    total,
		Workers:  []Worker{{PID: os.Getpid(), Started: b.created, Live: true, Counters: total}},
		Entries:  uint64(max(b.kept.Load(), 0)),
		Used:     uint64(max(b.used.Load(), 0)),
		Capacity: uint64(b.bytes),
		Size:     uint64(b.bytes),
		Created:  b.created,
	}
}
