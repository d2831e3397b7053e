package serve

import (
	"sync"
	"time"
)

// A gate decides when workers may wait for the agent. They close the one of the window themselves where nobody answers in time,
// and the agent opens it when the far store has answered since then. That is not enough where answers always come too
// late, as the store is far away: so the agent remembers how late the last one was, and opens for a
// store that answers in clearly less, or after a while.
type gate struct {
	mu     sync.Mutex
	closed time.Time     // when the agent has seen that workers closed it; zero where it is open
	late   time.Duration // how long an answer took that nobody waited for any more
	lateAt time.Time
}

// lateFor is for how long a late answer counts.
const lateFor = time.Minute

// answered is told of a probe, and reports whether the gate may be open.
func (g *gate) answered(began time.Time, trip time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if began.Before(g.closed) {
		return false // it says nothing of the time since then
	}
	if g.late > 0 && trip > g.late*3/4 && began.Sub(g.lateAt) < lateFor {
		return false
	}
	g.closed = time.Time{}
	return true
}

// found is told that the gate is closed, and reports whether that is news.
func (g *gate) found(at time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed.IsZero() {
		return false
	}
	g.closed = at
	return true
}

// lost is told that there is no connection.
func (g *gate) lost() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = time.Now()
}

// tooLate is told of an answer for which nobody waited any more.
func (g *gate) tooLate(after time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.late, g.lateAt = after, time.Now()
}
