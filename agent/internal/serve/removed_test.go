package serve_test

import (
	"encoding/base64"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/serve"
	"gosess/agent/internal/testredis"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// deaf is a far store whose log cannot be read, or that takes no sessions, for as long as a test holds these.
type deaf struct {
	serve.Far
	log, puts *gateway
}

// A gateway holds who passes while it is shut.
type gateway struct {
	sync.Mutex
	passing atomic.Int32 // who has come, and is not through
	passed  atomic.Int32
}

func (g *gateway) pass() {
	g.passing.Add(1)
	g.Lock()
	g.passing.Add(-1)
	g.passed.Add(1)
	g.Unlock()
}

func (d deaf) Since(position string) ([]far.Event, string, far.Gap, error) {
	d.log.pass()
	return d.Far.Since(position)
}

func (d deaf) Do(ops []far.Op) {
	for i := range ops {
		if ops[i].Kind == far.Put {
			d.puts.pass()
		}
	}
	d.Far.Do(ops)
}

// startDeaf starts a machine that can be made deaf.
func startDeaf(t *testing.T, url string) (*machine, deaf) {
	t.Helper()
	m, d := idle(t, url), deaf{log: &gateway{}, puts: &gateway{}}
	m.around = func(f serve.Far) serve.Far { d.Far = f; return d }
	m.begin()
	m.waitOpen()
	return m, d
}

// TestStoredAfterRemoval: a machine that has not heard of a removal stores the session again, as its server has changed it. When it hears, the session is
// gone everywhere, also where another machine has heard, and fetched it again.
func TestStoredAfterRemoval(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, c := two(t, redis.URL())
	b, deaf := startDeaf(t, redis.URL())
	there := func(key sessioncache.LookupKey) bool { return has(redis, key) }
	gone := func(key sessioncache.LookupKey) {
		t.Helper()
		testredis.WaitFor(t, "a session that is gone everywhere", func() bool {
			return a.near(key) == "" && b.near(key) == "" && c.near(key) == "" && !there(key)
		})
	}
	// It is told of before it hears.
	key := keyOf(1)
	b.store(key, sealed(1))
	a.hears(key, sealed(1))
	c.hears(key, sealed(1))
	deaf.log.Lock()
	a.remove(key)
	testredis.WaitFor(t, "a machine that has heard", func() bool { return c.near(key) == "" })
	b.store(key, "ownr changed")
	b.quiet()
	if !there(key) {
		t.Error("it is not stored again")
	}
	c.hears(key, "ownr changed") // when its agent thinks no more of the removal
	deaf.log.Unlock()
	gone(key)
	// It is being told of while it hears.
	key = keyOf(2)
	b.store(key, sealed(2))
	a.hears(key, sealed(2))
	b.quiet()
	read := deaf.log.passed.Load()
	testredis.WaitFor(t, "a log that was read to its end since then", func() bool { return deaf.log.passed.Load() > read+3 })
	deaf.puts.Lock()
	b.store(key, "ownr changed")
	testredis.WaitFor(t, "a session on its way", func() bool { return deaf.puts.passing.Load() > 0 })
	a.remove(key)
	testredis.WaitFor(t, "a machine that has heard", func() bool { return b.near(key) == "" })
	deaf.puts.Unlock()
	b.quiet()
	gone(key)
	// It has heard, but not the worker that was about to store it. What is stored long after that may be anything.
	for i := 3; ; i++ {
		key = keyOf(i)
		b.store(key, sealed(i))
		a.hears(key, sealed(i))
		began := time.Now()
		a.remove(key)
		testredis.WaitFor(t, "a machine that has heard", func() bool { return b.near(key) == "" })
		b.store(key, "ownr changed")
		b.quiet()
		if time.Since(began) < time.Second {
			gone(key)
			return
		}
	}
}

// TestTakenAfterRemoval: nor does anybody take it who has heard.
func TestTakenAfterRemoval(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, c := two(t, redis.URL())
	b, deaf := startDeaf(t, redis.URL())
	for i := 0; ; i++ { // until it is so soon after the removal that nothing else can have stored it
		key := keyOf(i)
		c.store(key, sealed(i))
		a.hears(key, sealed(i))
		deaf.log.Lock()
		began := time.Now()
		a.remove(key)
		testredis.WaitFor(t, "a machine that has heard", func() bool { return c.near(key) == "" })
		b.store(key, "ownr changed")
		b.quiet()
		state := c.ask(window.Take, key, testredis.Patience)
		deaf.log.Unlock()
		if time.Since(began) > time.Second || state == window.Failure {
			continue
		}
		if state != window.Miss || c.near(key) != "" {
			t.Errorf("the answer is %d, and %q is near", state, c.near(key))
		}
		return
	}
}

// TestStoredByAgentBefore: an agent that begins has what was removed, and is near all the same, removed from the far store too: the one before it may
// have told of it.
func TestStoredByAgentBefore(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	key := keyOf(1)
	b.end(0)
	a.remove(key)
	a.quiet()
	until := uint32(time.Now().Unix() + 300)
	b.served.Put(ctx, &key, []byte(sealed(1)), until, until-300)
	a.client.Do([]far.Op{{Kind: far.Put, Key: far.Key(key), Entry: far.Entry{Sealed: []byte(sealed(1)), Expires: until}}})
	b.begin()
	testredis.WaitFor(t, "no such session", func() bool { return b.near(key) == "" && !has(redis, key) })
}

// has says whether the far store has a session.
func has(redis *testredis.Server, key sessioncache.LookupKey) bool {
	return redis.CLI("EXISTS", "gosess:"+base64.RawURLEncoding.EncodeToString(key[:])) == ":1\r\n"
}
