package serve_test

import (
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/serve"
	"gosess/agent/internal/testredis"
	"gosess/sessioncache/window"
)

// TestNextAgent: what an agent had read when it was killed it may have stored, and another machine may have taken it.
func TestNextAgent(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := idle(t, redis.URL()), start(t, redis.URL())
	b.waitOpen()
	b.store(keyOf(3), sealed(3))
	a.store(keyOf(1), sealed(1))
	a.window.Tell(window.Item{Kind: window.Removed, Key: keyOf(3)})
	killed := window.Open(a.memory)
	if n := len(killed.Drain(make([]window.Item, 0, 8))); n != 2 {
		t.Fatalf("%d pieces of news", n)
	}
	a.store(keyOf(2), sealed(2))
	a.begin()
	b.hears(keyOf(2), sealed(2))
	testredis.WaitFor(t, "a removal that the agent before had read", func() bool { return b.near(keyOf(3)) == "" })
	b.asks(window.Get, keyOf(1), window.Miss)
}

// held is a far store that does not take removals for a while.
type held struct {
	serve.Far
	release chan struct{}
}

func (h held) Post(e far.Event) error {
	if len(e.Remove) > 0 {
		<-h.release
	}
	return h.Far.Post(e)
}

// TestRemovedIsNotFetched: what a machine has removed it does not fetch, though the fleet has not been told.
func TestRemovedIsNotFetched(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := idle(t, redis.URL()), start(t, redis.URL())
	h := held{release: make(chan struct{})}
	a.around = func(f serve.Far) serve.Far { h.Far = f; return h }
	a.begin()
	a.waitOpen()
	b.store(keyOf(1), sealed(1))
	a.hears(keyOf(1), sealed(1))
	a.remove(keyOf(1))
	testredis.WaitFor(t, "the removal in the outbox", func() bool { return a.ask(window.Get, keyOf(1), testredis.Patience) != window.Hit })
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) { // longer than an answer is on its way
		if a.ask(window.Get, keyOf(1), testredis.Patience) == window.Hit || a.near(keyOf(1)) != "" {
			t.Error("it was fetched")
		}
		a.forget(keyOf(1))
	}
	close(h.release)
	testredis.WaitFor(t, "the removal of a copy", func() bool { return b.near(keyOf(1)) == "" })
}

// lossy is a far store whose answers to what is stored do not come back.
type lossy struct{ serve.Far }

func (l lossy) Do(ops []far.Op) {
	l.Far.Do(ops)
	for i := range ops {
		if ops[i].Kind == far.Put {
			ops[i].Err = far.ErrLost
		}
	}
}

// TestStoredOnce: what may have been stored is not stored again, as another machine may have taken it meanwhile.
func TestStoredOnce(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := idle(t, redis.URL()), start(t, redis.URL())
	a.around = func(f serve.Far) serve.Far { return lossy{f} }
	a.begin()
	a.waitOpen()
	b.waitOpen()
	a.store(keyOf(1), sealed(1))
	testredis.WaitFor(t, "a session of another machine", func() bool { return b.ask(window.Take, keyOf(1), testredis.Patience) == window.Hit })
	a.store(keyOf(2), sealed(2)) // is told after all that is told again
	b.hears(keyOf(2), sealed(2))
	b.asks(window.Take, keyOf(1), window.Miss)
}

// TestTakenAtOnce: what was stored a moment ago is there for who takes it.
func TestTakenAtOnce(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitOpen()
	for i := range 100 {
		m.store(keyOf(i), sealed(i))
		for _, want := range []uint32{window.Hit, window.Miss} {
			got := uint32(window.Failure) // on a busy machine it is not delivered in time
			testredis.WaitFor(t, "an answer", func() bool {
				got = m.ask(window.Take, keyOf(i), testredis.Patience)
				return got != window.Failure
			})
			if got != want {
				t.Errorf("session %d: the answer is %d, not %d", i, got, want)
			}
		}
	}
}
