package serve

import (
	"sync"
	"time"

	"gosess/agent/internal/far"
)

// gone is what the fleet has removed lately, or flushed: an answer of the far store may have been on its way meanwhile, and what
// was flushed still lies there.
type gone struct {
	mu      sync.Mutex
	keys    map[far.Key]time.Time // until when
	swept   time.Time
	flushes []far.Flush
}

const (
	// goneFor is longer than an answer, or a message that is pushed, is on its way.
	goneFor     = 3 * time.Second
	mostFlushes = 1024
)

func (g *gone) remove(keys []far.Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := time.Now()
	if at.Sub(g.swept) > goneFor {
		kept := map[far.Key]time.Time{}
		for key, until := range g.keys {
			if until.After(at) {
				kept[key] = until
			}
		}
		g.keys, g.swept = kept, at
	}
	for _, key := range keys {
		g.keys[key] = at.Add(goneFor)
	}
}

func (g *gone) has(key far.Key) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.keys[key].After(time.Now())
}

func (g *gone) flush(f *far.Flush) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := g.flushes[:0]
	for i := range g.flushes {
		if string(g.flushes[i].Owner) != string(f.Owner) || g.flushes[i].Before != f.Before {
			kept = append(kept, g.flushes[i])
		}
	}
	g.flushes = append(kept[max(0, len(kept)-mostFlushes+1):], *f)
}

// covers reports whether an entry was flushed.
func (g *gone) covers(e *far.Entry) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.flushes {
		if g.flushes[i].Covers(e) {
			return true
		}
	}
	return false
}
