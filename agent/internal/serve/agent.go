// Package serve is what an agent does: it tells the far store what the servers of its machine have stored and removed, answers
// what they ask, and does to the near store what other machines say.
package serve

import (
	"sync"
	"time"

	"gosess/agent/internal/journal"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

// Agent serves one store of its machine. Four goroutines share the work: one answers requests, and looks after the gate; one reads
// news into the outbox; one delivers what is in there; and one follows the log of the fleet. Each batch of requests has one of its
// own besides.
type Agent struct {
	*machine
	news     *news
	requests *requests
	working  sync.WaitGroup
}

// New makes an agent of a window, the store that it belongs to, and a far store. Pushes says that machines tell each other what
// is stored.
func New(w *window.Window, near *shm.Store, f Far, log *journal.Log, pushes bool) *Agent {
	m := newMachine(w, near, f, log, pushes)
	n := newNews(m)
	return &Agent{machine: m, news: n, requests: newRequests(m, n)}
}

// Changed is told how the far store is: see remote.Changed.
func (a *Agent) Changed(up bool, began time.Time, trip time.Duration) {
	switch {
	case !up:
		a.linked.Store(false)
		a.up.Store(false)
		a.gate.lost()
		a.window.CloseGate()
		return
	case !a.linked.Swap(true):
		select {
		case a.linking <- struct{}{}:
		default:
		}
	case !a.up.Load(): // what other machines have said comes first
	case a.window.GateIsOpen():
	case a.gate.found(time.Now()): // workers have closed it, after this was sent perhaps
		a.far.Probe()
	case a.gate.answered(began, trip):
		a.window.OpenGate()
	}
	a.outbox.wake()
}

// Start begins to serve.
func (a *Agent) Start() {
	for _, work := range []func(){a.requests.serve, a.news.listen, a.news.deliver, a.follow} {
		a.working.Go(work)
	}
}

// Stop ends that: what is in the outbox is delivered, if the far store is there, for as long as patience lasts. It returns how much
// was not.
func (a *Agent) Stop(patience time.Duration) (left int) {
	a.stopping.Store(true)
	a.window.CloseGate()
	a.window.Renew(0)
	a.news.read()
	for end := time.Now().Add(patience); a.up.Load() && a.outbox.length() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	close(a.stop)
	a.outbox.wake()
	ended := make(chan struct{})
	go func() {
		a.working.Wait()
		close(ended)
	}()
	for { // one that has not fallen asleep yet misses a ring
		a.window.Ring()
		select {
		case <-ended:
			return a.outbox.length()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
