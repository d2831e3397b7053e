// Package monitor looks at stores again and again, and tells what it has seen over HTTP: as metrics, and as a page
// for people. It writes to nothing, and shows nothing that is secret.
package monitor

import (
	"context"
	"sync"
	"time"

	"gosess/internal/inspect"
	"gosess/internal/metrics"
	"gosess/sessioncache"
)

// Source is a store that is looked at.
type Source struct {
	Name string
	Open func() (*inspect.Store, error)
	Key  string // the file of its sealing keys, "" where that is not known: its age is told, it is not opened
}

// Monitor is the stores, and what they counted in the last hour.
type Monitor struct {
	Version string
	mu      sync.Mutex
	watched []*watched
}

// watched is one of them.
type watched struct {
	Source
	store   *inspect.Store
	last    metrics.Store
	history []sample // the oldest first
	created int64    // when the store was made that it is of
}

// sample is what a store had counted at a moment, and held.
type sample struct {
	at       time.Time
	counters sessioncache.Counters
	latency  [sessioncache.OperationCount]sessioncache.Histogram
	fill     float64 // of 1
}

// The last hour is kept, in so many samples.
const (
	Interval = 10 * time.Second
	kept     = int(time.Hour/Interval) + 1
)

// New makes a monitor of stores that need not be there yet.
func New(version string, sources []Source) *Monitor {
	m := &Monitor{Version: version}
	for _, s := range sources {
		m.watched = append(m.watched, &watched{Source: s})
	}
	return m
}

// Run looks until ctx is done.
func (m *Monitor) Run(ctx context.Context) {
	ticks := time.NewTicker(Interval)
	defer ticks.Stop()
	for {
		m.look(time.Now(), true)
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// look reads all stores, and remembers what it sees where it is to.
func (m *Monitor) look(now time.Time, remember bool) []metrics.Store {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []metrics.Store
	for _, w := range m.watched {
		w.look()
		if remember && w.last.Err == nil {
			w.remember(now)
		}
		all = append(all, w.last)
	}
	return all
}

// look opens the store where it is not open, or another one is in its place.
func (w *watched) look() {
	if w.store != nil && w.store.Replaced() {
		w.close()
	}
	w.last = metrics.Store{Name: w.Name}
	if w.store == nil {
		w.store, w.last.Err = w.Open()
	}
	if w.last.Err != nil {
		return
	}
	if w.last.Stats, w.last.Err = w.store.Glance(); w.last.Err != nil {
		w.close()
	}
}

func (w *watched) close() {
	w.store.Close()
	w.store = nil
}

// remember adds a sample. A store that was made anew begins a new history.
func (w *watched) remember(now time.Time) {
	s := &w.last.Stats
	next := sample{at: now, counters: s.Total, latency: s.Latency}
	if s.Capacity > 0 {
		next.fill = float64(s.Used) / float64(s.Capacity)
	}
	if s.Created != w.created {
		w.history, w.created = nil, s.Created
	}
	if len(w.history) == kept {
		copy(w.history, w.history[1:])
		w.history = w.history[:kept-1]
	}
	w.history = append(w.history, next)
}
