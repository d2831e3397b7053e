package serve

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/journal"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

// Far is the far store, with what only the agent's loop asks of it.
type Far interface {
	far.Store
	// Probe has the store asked now whether it is there.
	Probe()
}

// A machine is what all the work of an agent is about.
type machine struct {
	window *window.Window
	near   *shm.Store
	far    Far
	log    *journal.Log
	id     far.Machine
	pushes bool // what is stored is told to the other machines at once

	outbox  *outbox
	gate    gate
	gone    gone
	given   given
	breaker breaker
	linked  atomic.Bool   // there is a connection to the far store
	linking chan struct{} // has one where there is a new one
	up      atomic.Bool   // the far store is there, and what other machines have said is done

	stopping atomic.Bool
	stop     chan struct{}
}

func newMachine(w *window.Window, near *shm.Store, f Far, log *journal.Log, pushes bool) *machine {
	m := &machine{window: w, near: near, far: f, log: log, pushes: pushes, outbox: newOutbox(), breaker: newBreaker(), stop: make(chan struct{}), linking: make(chan struct{}, 1)}
	rand.Read(m.id[:])
	return m
}

// sleep waits, and reports whether the agent goes on.
func (m *machine) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-m.stop:
		return false
	case <-timer.C:
		return true
	}
}

// look finds an entry in the near store, which does not count as a use.
func (m *machine) look(key *sessioncache.LookupKey, record bool) (e sessioncache.Entry, found bool) {
	if record {
		found, _ = m.near.FindRecord(context.Background(), key, &e, now())
		return e, found
	}
	return e, m.near.Look(key, &e)
}

// put puts a session of another machine into the near store, and reports whether it may be had: it may have been removed while it was
// on its way.
func (m *machine) put(key *sessioncache.LookupKey, e *far.Entry) bool {
	if m.gone.covers(e) || m.near.Put(context.Background(), key, e.Sealed, e.Expires, now()) != nil {
		return false
	}
	if m.gone.has(far.Key(*key)) || m.gone.covers(e) { // meanwhile
		m.drop(key)
		return false
	}
	return true
}

// drop removes a session from the near store, and reports whether it was there.
func (m *machine) drop(key *sessioncache.LookupKey) (there bool) {
	var e sessioncache.Entry
	for range sessioncache.Duplicates {
		if !m.near.Look(key, &e) {
			break
		}
		there = true
		m.near.Drop(context.Background(), &e)
	}
	return there
}
