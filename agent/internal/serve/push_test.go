package serve_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/journal"
	"gosess/agent/internal/options"
	"gosess/agent/internal/remote"
	"gosess/agent/internal/testredis"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// waitPushed stores sessions at one machine until the first of them comes to the near stores of others by itself. The first ones may
// be stored before all listen.
func (m *machine) waitPushed(first int, others ...*machine) {
	m.t.Helper()
	next := first
	testredis.WaitFor(m.t, "a session that is pushed", func() bool {
		m.store(keyOf(next), sealed(next))
		next++
		for _, other := range others {
			found := false
			for i := first; i < next && !found; i++ {
				found = other.near(keyOf(i)) != ""
			}
			if !found {
				return false
			}
		}
		return true
	})
}

// A listener hears what is pushed, as a machine does, and pushes.
type listener struct {
	*remote.Client
	mu   sync.Mutex
	last []byte
}

func listen(t *testing.T, url string) *listener {
	t.Helper()
	f, err := options.ParseFar(url)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{}
	l.Client = remote.New(f, options.Secrets{}, journal.New(t.Output(), func(string) string { return "" }),
		func(bool, time.Time, time.Duration) {}, func(message []byte) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.last = message
		})
	l.Start()
	t.Cleanup(l.Close)
	return l
}

// has waits for the message of a session.
func (l *listener) waitFor(t *testing.T, number int) (message []byte) {
	t.Helper()
	testredis.WaitFor(t, "a message", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, entries, _ := far.ParseMessage(l.last, time.Now().Unix())
		message = l.last
		return len(entries) > 0 && entries[len(entries)-1].Key == far.Key(keyOf(number))
	})
	return message
}

func (l *listener) push(t *testing.T, message []byte) {
	t.Helper()
	ops := []far.Op{{Kind: far.Push, Message: message}}
	if l.Do(ops); ops[0].Err != nil {
		t.Fatal(ops[0].Err)
	}
}

func pushed(from far.Machine, number int, made uint32) []byte {
	now := uint32(time.Now().Unix())
	message, _ := far.AppendPushed(far.BeginMessage(from), &far.Pushed{Key: far.Key(keyOf(number)),
		Entry: far.Entry{Sealed: []byte(sealed(number)), Expires: now + 300, Made: made}})
	return message
}

// TestPush: what one machine stores is near at the others before anybody asks.
func TestPush(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	url := redis.URL() + "?push"
	a, b := two(t, url)
	l := listen(t, url)
	a.waitPushed(10000, b)
	for i := range 1000 {
		a.store(keyOf(i), sealed(i))
	}
	for i := range 1000 {
		testredis.WaitFor(t, "a session that is pushed", func() bool { return b.near(keyOf(i)) == sealed(i) })
	}
	pull := start(t, redis.URL()) // one that does not listen asks
	pull.waitOpen()
	pull.hears(keyOf(1), sealed(1))

	// Its own messages come back to a machine, which has removed the session meanwhile perhaps.
	testredis.WaitFor(t, "the listener", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.last == nil {
			a.store(keyOf(2000), sealed(2000))
		}
		return l.last != nil
	})
	a.store(keyOf(2001), sealed(2001))
	message := l.waitFor(t, 2001)
	testredis.WaitFor(t, "a session that is pushed", func() bool { return b.near(keyOf(2001)) != "" })
	a.forget(keyOf(2001))
	b.forget(keyOf(2001))
	l.push(t, message)
	l.push(t, pushed(far.Machine{1}, 2002, 0))
	for _, m := range []*machine{a, b} {
		testredis.WaitFor(t, "the message behind it", func() bool { return m.near(keyOf(2002)) != "" })
	}
	if a.near(keyOf(2001)) != "" || b.near(keyOf(2001)) == "" {
		t.Errorf("its own message came to a machine, or another's did not: %q, %q", a.near(keyOf(2001)), b.near(keyOf(2001)))
	}

	// What was removed since it was pushed does not come back, nor is what is near replaced, nor does nonsense harm.
	a.remove(keyOf(2002))
	testredis.WaitFor(t, "the removal of a copy", func() bool { return b.near(keyOf(2002)) == "" })
	owner := sessioncache.Tag([]byte("ownr"))
	a.window.Tell(window.Flush(&owner, 0))
	testredis.WaitFor(t, "a flush", func() bool { return b.near(keyOf(2001)) == "" })
	b.store(keyOf(2004), "another owner's, and newer")
	l.push(t, pushed(far.Machine{1}, 2002, uint32(time.Now().Unix())+100))
	l.push(t, pushed(far.Machine{1}, 2003, 1))
	l.push(t, pushed(far.Machine{1}, 2004, uint32(time.Now().Unix())+100))
	good := pushed(far.Machine{1}, 2005, uint32(time.Now().Unix())+100)
	for cut := range len(good) {
		l.push(t, good[:cut])
	}
	l.push(t, append([]byte{good[0] + 1}, good[1:]...))
	l.push(t, append([]byte{good[0], good[1] + 1}, good[2:]...))
	l.push(t, make([]byte, 2*far.MaxMessage))
	l.push(t, pushed(far.Machine{1}, 2006, uint32(time.Now().Unix())+100))
	testredis.WaitFor(t, "the message behind it", func() bool { return b.near(keyOf(2006)) != "" })
	for i, want := range map[int]string{2002: "", 2003: "", 2004: "another owner's, and newer", 2005: ""} {
		if got := b.near(keyOf(i)); got != want {
			t.Errorf("session %d is %q, not %q", i, got, want)
		}
	}
}

// TestPushedForOneUse: a session that all machines have near is taken by one of them.
func TestPushedForOneUse(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL()+"?push")
	a.waitPushed(10000, b)
	const count = 300
	for i := range count {
		a.store(keyOf(i), sealed(i))
	}
	var taken [count]atomic.Int32
	var ended sync.WaitGroup
	for i := range count {
		testredis.WaitFor(t, "a session that is pushed", func() bool { return b.near(keyOf(i)) != "" })
	}
	for _, m := range []*machine{a, b} {
		ended.Go(func() {
			for i := range count {
				if m.ask(window.Take, keyOf(i), testredis.Patience) == window.Hit {
					taken[i].Add(1)
				}
			}
		})
	}
	ended.Wait()
	for i := range taken {
		if n := taken[i].Load(); n != 1 {
			t.Errorf("session %d was taken %d times", i, n)
		}
	}
}

// TestPushGoesOn: after the store was away, and in a cluster after a failover.
func TestPushGoesOn(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL()+"?push")
	a.waitPushed(0, b)
	redis.Kill()
	redis.Run()
	a.waitPushed(1000, b)
}

func TestPushInACluster(t *testing.T) {
	t.Parallel()
	nodes := testredis.Cluster(t, 3)
	a, b := two(t, fmt.Sprintf("redis://127.0.0.1:%d,127.0.0.1:%d?cluster&push", nodes[0].Port, nodes[1].Port))
	a.waitPushed(10000, b)
	all := func(from int) {
		t.Helper()
		testredis.WaitFor(t, "sessions that are pushed by each channel", func() bool {
			for i := from; i < from+20; i++ {
				key := keyOf(i)
				a.store(key, sealed(i))
				for end := time.Now().Add(time.Second); b.near(key) == ""; time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						from += 20
						return false
					}
				}
			}
			return true
		})
	}
	all(0)
	testredis.WaitFor(t, "a replica that has all", func() bool { return nodes[3].CLI("DBSIZE") == nodes[0].CLI("DBSIZE") })
	nodes[0].Kill()
	all(100000)
}
