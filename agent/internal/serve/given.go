package serve

import (
	"hash/maphash"
	"sync"

	"gosess/sessioncache"
)

// given is which records of other machines were put into the near store.
type given struct {
	mu      sync.Mutex
	records map[sessioncache.LookupKey]givenRecord
}

type givenRecord struct {
	sum     uint64
	refused int // how often a worker has made another one all the same
}

const (
	// mostGiven is more than there is room for in a near store.
	mostGiven = 1 << 12
	// Once may be because the near store has lost it, or was damaged itself: it is put there again.
	enoughRefusals = 2
)

var seed = maphash.MakeSeed()

func (g *given) note(key *sessioncache.LookupKey, sealed []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.records == nil || len(g.records) >= mostGiven {
		g.records = map[sessioncache.LookupKey]givenRecord{}
	}
	r := givenRecord{sum: maphash.Bytes(seed, sealed)}
	if before := g.records[*key]; before.sum == r.sum {
		r.refused = before.refused
	}
	g.records[*key] = r
}

// isRefused is for a record of the far store in whose place a worker has made another one: whether that was so before.
func (g *given) isRefused(key *sessioncache.LookupKey, sealed []byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, found := g.records[*key]
	if !found || r.sum != maphash.Bytes(seed, sealed) {
		return false
	}
	r.refused++
	g.records[*key] = r
	return r.refused >= enoughRefusals
}
