package window

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gosess/sessioncache"
)

// agent answers until it is told to end: with a Hit what is of an even key, and else with a Miss.
func agent(w *Window, ended *atomic.Bool) {
	requests := make([]Request, 0, 16)
	for !ended.Load() {
		requests = w.Collect(requests[:0])
		for i := range requests {
			r := &requests[i]
			state := uint32(Miss)
			if r.Keys()[0][0]%2 == 0 {
				state = Hit
			}
			w.Answer(r, state)
		}
		if len(requests) == 0 {
			w.Await(50 * time.Millisecond)
		}
	}
}

// Each of many workers gets the answer to what it has asked for.
func TestAnswers(t *testing.T) {
	w := newWindow(t)
	w.OpenGate()
	var ended atomic.Bool
	var agents, workers sync.WaitGroup
	agents.Go(func() { agent(w, &ended) })
	for worker := range 8 {
		workers.Go(func() {
			other := again(t, w)
			for i := range 200 {
				n := worker*1000 + i
				want := uint32(Hit + n%2)
				if got := other.ask(Get, time.Minute, noStep, keyOf(n), keyOf(n+2)); got != want {
					t.Errorf("request %d: %d, not %d", n, got, want)
				}
			}
		})
	}
	workers.Wait()
	ended.Store(true)
	agents.Wait()
	if n := freeSlots(w); n != Slots {
		t.Errorf("%d slots are free, not all %d", n, Slots)
	}
}

func TestRequest(t *testing.T) {
	w := newWindow(t)
	w.OpenGate()
	var asking sync.WaitGroup
	asking.Go(func() { w.ask(Take, time.Minute, noStep, keyOf(1), keyOf(2), keyOf(3)) })
	r := collectOne(t, w)
	if r.Operation != Take || len(r.Keys()) != 3 || r.Keys()[2] != keyOf(3) {
		t.Errorf("operation %d of %d keys", r.Operation, len(r.Keys()))
	}
	if !w.Answer(&r, Failure) {
		t.Error("nobody waited for the answer")
	}
	asking.Wait()
	if w.Answer(&r, Hit) {
		t.Error("somebody waited for a second answer")
	}
}

func collectOne(t *testing.T, w *Window) Request {
	t.Helper()
	for {
		w.Await(time.Second)
		if found := w.Collect(make([]Request, 0, 1)); len(found) == 1 {
			return found[0]
		}
	}
}

// An answer that comes too late changes nothing, whoever has the slot by then.
func TestLateAnswer(t *testing.T) {
	w := newWindow(t)
	w.OpenGate()
	var asking sync.WaitGroup
	asking.Go(func() {
		if got := w.ask(Get, time.Millisecond, noStep, keyOf(1)); got != timeout {
			t.Errorf("%d, not a timeout", got)
		}
	})
	asking.Wait()
	if found := w.Collect(make([]Request, 0, 4)); len(found) != 0 {
		t.Fatal("a request that nobody waits for is collected")
	}
	asking.Go(func() { w.ask(Get, 20*time.Millisecond, noStep, keyOf(1)) })
	late := collectOne(t, w)
	asking.Wait()
	asking.Go(func() {
		if got := w.ask(Get, time.Minute, noStep, keyOf(2)); got != Miss {
			t.Errorf("%d, not a miss", got)
		}
	})
	next := collectOne(t, w)
	if next.slot != late.slot {
		t.Fatalf("slot %d, not %d again", next.slot, late.slot)
	}
	if w.Answer(&late, Hit) {
		t.Error("the late answer was taken")
	}
	w.Answer(&next, Miss)
	asking.Wait()
}

// A worker that was stopped while it asked, and goes on when its slot is another's, does not have that one's question
// changed to its own: who takes a session would be told that it has it.
func TestRequestsAreNotMixed(t *testing.T) {
	w := newWindow(t)
	w.OpenGate()
	for _, c := range []struct {
		name   string
		change func(at int)
	}{
		{"the keys", func(at int) { w.putKey(at+KeysAt, new(sessioncache.LookupKey)) }},
		{"what is asked for", func(at int) { w.u32(at + WhatAt).Store(uint32(Take) | 2<<countBits) }},
		{"all of it", func(at int) {
			key, what := keyOf(7), uint64(Take)|1<<countBits
			w.u32(at + WhatAt).Store(uint32(what))
			w.putKey(at+KeysAt, &key)
			w.u64(at + SumAt).Store(sumOf(uint64(w.u32(at).Load()&^stateMask)-1<<stateBits, what, key))
		}},
	} {
		var asking sync.WaitGroup
		asking.Go(func() {
			if got := w.ask(Take, time.Minute, noStep, keyOf(1)); got != Failure {
				t.Errorf("%s: %d, not a failure", c.name, got)
			}
		})
		for w.u64(PostedAt).Load() == 0 {
			w.Await(time.Second)
		}
		c.change(slotAt(0))
		if found := w.Collect(make([]Request, 0, 1)); len(found) != 0 {
			t.Errorf("%s: a request that is a mix is collected", c.name)
			w.Answer(&found[0], Failure)
		}
		asking.Wait()
	}
}

// A worker that ends anywhere in a request leaves a slot that is free again after two looks at it.
func TestDeadWorkers(t *testing.T) {
	w := newWindow(t)
	w.OpenGate()
	var ended atomic.Bool
	var agents sync.WaitGroup
	agents.Go(func() { agent(w, &ended) })
	type killed struct{}
	for range 1000 {
		left := rand.IntN(8)
		func() {
			defer func() {
				if p := recover(); p != nil && p != (killed{}) {
					panic(p)
				}
			}()
			w.ask(Get, time.Second, func() {
				if left--; left < 0 {
					panic(killed{})
				}
			}, keyOf(1), keyOf(2))
		}()
		if rand.IntN(100) == 0 {
			w.Reclaim()
		}
	}
	w.Reclaim()
	w.Reclaim()
	if n := freeSlots(w); n != Slots {
		t.Errorf("%d slots are free, not all %d", n, Slots)
	}
	if got := w.ask(Get, time.Minute, noStep, keyOf(2)); got != Hit {
		t.Errorf("after that: %d, not a hit", got)
	}
	ended.Store(true)
	agents.Wait()
}

// Whatever an agent has begun when it ends, its successor serves the next request.
func TestDeadAgents(t *testing.T) {
	w := newWindow(t)
	w.OpenGate()
	for i := range 1000 {
		var asking sync.WaitGroup
		asking.Go(func() {
			got := w.ask(Get, 100*time.Microsecond, noStep, keyOf(i))
			if want := uint32(Hit + i%2); got != want && got != timeout && got != robbed {
				t.Errorf("request %d: %d", i, got)
			}
		})
		one := again(t, w)
		found := one.Collect(make([]Request, 0, 4))
		for n := range found[:rand.IntN(len(found)+1)] { // it ends before the others
			one.Answer(&found[n], uint32(Hit+i%2))
		}
		asking.Wait()
	}
	w.Reclaim()
	w.Reclaim()
	if n := freeSlots(w); n != Slots {
		t.Errorf("%d slots are free, not all %d", n, Slots)
	}
	var ended atomic.Bool
	var agents sync.WaitGroup
	agents.Go(func() { agent(again(t, w), &ended) })
	if got := w.ask(Get, time.Minute, noStep, keyOf(2)); got != Hit {
		t.Errorf("the last agent: %d, not a hit", got)
	}
	ended.Store(true)
	agents.Wait()
}

// More requests than there is room for are collected by and by.
func TestManyRequests(t *testing.T) {
	w := newWindow(t)
	w.OpenGate()
	var asking sync.WaitGroup
	for i := range 100 {
		asking.Go(func() {
			if got := w.ask(Get, time.Minute, noStep, keyOf(i)); got != Hit {
				t.Errorf("request %d: %d, not a hit", i, got)
			}
		})
	}
	seen := map[sessioncache.LookupKey]bool{}
	for len(seen) < 100 {
		found := w.Collect(make([]Request, 0, 3))
		for i := range found {
			seen[found[i].Keys()[0]] = true
			w.Answer(&found[i], Hit)
		}
	}
	asking.Wait()
}

func TestGate(t *testing.T) {
	w := newWindow(t)
	for _, c := range []struct {
		name string
		do   func()
		want bool
	}{
		{"as it is made", noStep, false},
		{"a lease alone", func() { w.Renew(time.Second) }, false},
		{"open", w.OpenGate, true},
		{"closed", w.CloseGate, false},
		{"open again", w.OpenGate, true},
		{"the lease is over", func() { w.Renew(0) }, false},
		{"of before the machine was started", func() { w.u64(LeaseAt).Store(uint64(Now()) + uint64(time.Hour)) }, false},
		{"longer than a lease may be", func() { w.Renew(time.Hour) }, true},
	} {
		if c.do(); w.MayWait() != c.want {
			t.Errorf("%s: workers may wait: %v", c.name, !c.want)
		}
	}
}

// Whatever stands in the mapping, the agent gets on, and its answers are about what was asked.
func TestHostileRequests(t *testing.T) {
	w := newWindow(t)
	for range 2000 {
		for range 50 {
			w.u32(PostedAt + rand.IntN((NewsAt-PostedAt)/4)*4).Store(rand.Uint32())
		}
		for range 4 {
			w.u64(PostedAt + rand.IntN(Slots/64)*8).Store(rand.Uint64())
		}
		found := w.Collect(make([]Request, 0, 64))
		for i := range found {
			if n := len(found[i].Keys()); n < 1 || n > MaxKeys || found[i].Operation >= operations {
				t.Fatalf("a request of %d keys, operation %d", n, found[i].Operation)
			}
			w.Answer(&found[i], Miss)
		}
		w.Reclaim()
	}
	w.Await(time.Millisecond)
}
