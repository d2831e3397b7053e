package sessioncache

import (
	"math/bits"
	"time"
)

// Operation is what is timed.
type Operation int

// The operations that are timed.
const (
	Get Operation = iota
	Put
	OperationCount int = iota
)

// String is its name.
func (o Operation) String() string { return [OperationCount]string{"get", "put"}[o] }

// A Histogram counts durations: bucket i those below 512 ns * 2^i that are in none before, the last one all others.
type Histogram struct {
	Buckets [HistogramBuckets]uint64
	Sum     time.Duration
}

// HistogramBuckets is how many buckets there are: up to 4 ms, and what is longer.
const HistogramBuckets = 15

const firstBucket = 9 // 2^9 ns

// BucketOf is where a duration is counted.
func BucketOf(d time.Duration) int {
	return min(max(bits.Len64(uint64(max(d, 0)))-firstBucket, 0), HistogramBuckets-1)
}

// BucketEnd is what all durations of a bucket, but for the last one, are below.
func BucketEnd(bucket int) time.Duration { return 1 << (firstBucket + bucket) }

// Count is how many durations there are.
func (h *Histogram) Count() (n uint64) {
	for _, count := range h.Buckets {
		n += count
	}
	return n
}

// Quantile is what a part of the durations are below, as exactly as the buckets say. 0 where there are none.
func (h *Histogram) Quantile(part float64) time.Duration {
	rank, n := part*float64(h.Count()), uint64(0)
	for i, count := range h.Buckets {
		if n += count; count > 0 && float64(n) >= rank {
			return BucketEnd(i)
		}
	}
	return 0
}
