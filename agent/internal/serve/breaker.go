package serve

import (
	"sync"

	"gosess/sessioncache/window"
)

// A breaker keeps one shard of a cluster that does not answer from holding up what concerns the others. Without a cluster
// there is one shard, -1, which the gate is for.
type breaker struct {
	mu    sync.Mutex
	asked map[int][]*window.Request // of each shard, without an answer so far
	bad   map[int]bool
}

func newBreaker() breaker { return breaker{asked: map[int][]*window.Request{}, bad: map[int]bool{}} }

func (b *breaker) begin(shard int, requests []window.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range requests {
		b.asked[shard] = append(b.asked[shard], &requests[i])
	}
}

func (b *breaker) end(shard int, requests []window.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.asked[shard][:0]
	for _, r := range b.asked[shard] {
		ended := false
		for i := range requests {
			ended = ended || r == &requests[i]
		}
		if !ended {
			left = append(left, r)
		}
	}
	b.asked[shard] = left
}
