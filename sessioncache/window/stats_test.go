package window

import (
	"sync"
	"testing"
	"time"

	"gosess/sessioncache"
)

// What the window says of the agent is what has happened, and what is there now.
func TestStats(t *testing.T) {
	w := newWindow(t)
	if got := *w.Stats(); got != (sessioncache.Agent{}) {
		t.Errorf("of nothing: %+v", got)
	}
	w.OpenGate()
	var asking sync.WaitGroup
	asking.Go(func() { w.ask(Get, time.Minute, noStep, keyOf(1)) })
	r := collectOne(t, w)
	w.Tell(Item{Stored, keyOf(1), 1})
	w.Tell(Item{Stored, keyOf(2), 1})
	for c := range CounterCount {
		w.Count(c, uint64(c+1))
	}
	want := sessioncache.Agent{
		Serves: true, GateOpen: true, Waiting: 1, Queue: 2,
		Hits: 1, Misses: 2, Failures: 3, Timeouts: 4, Crowded: 5, Robbed: 6, Reclaimed: 7, Overrun: 8, Torn: 9,
	}
	if got := *w.Stats(); got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
	w.Answer(&r, Hit)
	asking.Wait()
	w.Drain(make([]Item, 0, 1))
	if got := w.Stats(); got.Waiting != 0 || got.Queue != 2 {
		t.Errorf("what is read is not delivered yet: %+v", got)
	}
	w.Delivered()
	w.CloseGate()
	if got := w.Stats(); got.Queue != 1 || got.GateOpen || !got.Serves {
		t.Errorf("one is delivered, and the gate is closed: %+v", got)
	}
	w.Renew(0)
	w.u64(HeadAt).Store(99)
	if got := w.Stats(); got.Queue != 0 || got.Serves {
		t.Errorf("no agent, and more was delivered than there was: %+v", got)
	}
}
