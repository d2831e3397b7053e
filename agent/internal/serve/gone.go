package serve

import (
	"slices"
	"sync"
	"time"

	"gosess/agent/internal/far"
)

// gone is what the fleet has removed lately, or flushed: an answer of the far store may have been on its way meanwhile, and what
// was flushed still lies there.
type gone struct {
	mu      sync.Mutex
	keys    map[far.Key]removal
	swept   time.Time
	all     time.Time // until then all keys count as removed: there was no room for more
	theirs  time.Time // until then something counts that another machine has removed
	flushes []far.Flush
}

// A removal counts for a while. What another machine has removed does not come back because this one stores it: it had not heard.
type removal struct {
	until  time.Time
	theirs bool
}

const (
	// goneFor is longer than an answer, or a message that is pushed, is on its way.
	goneFor     = 3 * time.Second
	mostFlushes = 1024
	// mostGone is some 4 MB.
	mostGone = 1 << 16
)

// remove notes what was removed: theirs, by another machine.
func (g *gone) remove(keys []far.Key, theirs bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := time.Now()
	if at.Sub(g.swept) > goneFor {
		kept := map[far.Key]removal{}
		for key, r := range g.keys {
			if r.until.After(at) {
				kept[key] = r
			}
		}
		g.keys, g.swept = kept, at
	}
	if len(g.keys)+len(keys) > mostGone {
		g.keys, g.all = map[far.Key]removal{}, at.Add(goneFor)
	}
	if theirs {
		g.theirs = at.Add(goneFor)
	}
	for _, key := range keys {
		g.keys[key] = removal{at.Add(goneFor), theirs || g.keys[key].theirs}
	}
}

func (g *gone) has(key far.Key) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := time.Now()
	return g.keys[key].until.After(at) || g.all.After(at)
}

// isTheirs reports whether another machine has removed it.
func (g *gone) isTheirs(key far.Key) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, r := time.Now(), g.keys[key]
	return r.theirs && r.until.After(at) || g.all.After(at) && g.theirs.After(at)
}

// flush notes a flush, and reports whether it is news.
func (g *gone) flush(f *far.Flush) (news bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := g.flushes[:0]
	for _, other := range g.flushes {
		if other.Includes(f) {
			return false
		}
		if !f.Includes(&other) && (other.Before == 0 || other.Before > now()) { // what ended before that has ended
			kept = append(kept, other)
		}
	}
	g.flushes = append(kept, *f)
	if len(g.flushes) > mostFlushes {
		made := max(g.flushes[0].Made, g.flushes[1].Made)
		g.flushes = g.flushes[1:]
		g.flushes[0] = far.Flush{Made: made} // of everybody's, in the place of both
	}
	return true
}

// now is the time as entries have it.
func now() uint32 { return far.Seconds(time.Now().Unix()) }

// known are the flushes that are remembered.
func (g *gone) known() []far.Flush {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.flushes)
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
