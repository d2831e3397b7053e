package serve_test

import (
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/serve"
	"gosess/agent/internal/testredis"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// nextSecond waits until what is made is of another second: times in the far store are whole ones.
func nextSecond() { time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) }

// quiet waits until an agent has told all news.
func (m *machine) quiet() {
	m.t.Helper()
	testredis.WaitFor(m.t, "an agent that has told all", func() bool { return m.window.Stats().Queue == 0 })
}

// TestFlushedWhileAway: what a machine has stored while it was without the far store was flushed meanwhile.
func TestFlushedWhileAway(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := start(t, redis.URL()), idle(t, redis.URL())
	a.waitOpen()
	b.store(keyOf(1), sealed(1))
	a.window.Tell(window.Flush(nil, 0))
	a.quiet()
	nextSecond()
	b.begin()
	b.waitOpen()
	b.quiet()
	if got := b.near(keyOf(1)); got != "" {
		t.Errorf("it is still there: %q", got)
	}
	if got := redis.CLI("DBSIZE"); got != ":1\r\n" { // the log
		t.Errorf("the far store has it: %q", got)
	}
	a.asks(window.Get, keyOf(1), window.Miss)
}

// TestFlushWithClocksApart: a machine whose clock is ahead has stored something before the flush.
func TestFlushWithClocksApart(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a := start(t, redis.URL())
	a.waitOpen()
	now := uint32(time.Now().Unix())
	op := []far.Op{{Kind: far.Put, Key: far.Key(keyOf(1)), Entry: far.Entry{Sealed: []byte(sealed(1)), Made: now + 30, Expires: now + 300}}}
	a.client.Do(op)
	a.window.Tell(window.Flush(nil, 0))
	a.quiet()
	a.asks(window.Get, keyOf(1), window.Miss)
}

// forgetful is a far store that does not give records away for a while.
type forgetful struct {
	serve.Far
	refuses *atomic.Bool
	asked   *atomic.Int32
}

func (f forgetful) Do(ops []far.Op) {
	f.Far.Do(ops)
	for i := range ops {
		if ops[i].Kind == far.Get && ops[i].Key == far.Key(keyOf(7)) && f.refuses.Load() {
			f.asked.Add(1)
			ops[i].Found, ops[i].Err = false, far.ErrLost
		}
	}
}

// TestFlushOnce: a flush that is read again drops nothing that was stored since, where something behind it could not be done.
func TestFlushOnce(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := start(t, redis.URL()), idle(t, redis.URL())
	f := forgetful{refuses: &atomic.Bool{}, asked: &atomic.Int32{}}
	f.refuses.Store(true)
	b.around = func(far serve.Far) serve.Far { f.Far = far; return f }
	a.waitOpen()
	until := uint32(time.Now().Unix() + 300)
	key := keyOf(7)
	b.begin()
	b.waitOpen()
	b.store(keyOf(1), sealed(1))
	a.window.Tell(window.Flush(nil, 0))
	a.served.AddRecord(ctx, &key, []byte("a record"), until, until-300)
	a.window.Tell(window.Item{Kind: window.Made, Key: key, Expires: until})
	testredis.WaitFor(t, "the flush", func() bool { return b.near(keyOf(1)) == "" })
	b.store(keyOf(2), sealed(2))
	tries := f.asked.Load()
	testredis.WaitFor(t, "two more tries", func() bool { return f.asked.Load() > tries+2 })
	if b.near(keyOf(2)) == "" {
		t.Error("what was stored after the flush has gone")
	}
}

// TestOldFlush: an agent that begins drops nothing that was stored after a flush.
func TestOldFlush(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := idle(t, redis.URL())
	made := uint32(time.Now().Unix() - 1000)
	redis.CLI("XADD", "gosess:log", "*", "e", string((&far.Event{Flush: &far.Flush{Made: made}}).Append(nil)))
	m.store(keyOf(1), sealed(1))
	m.served.Put(ctx, pointer(keyOf(2)), []byte(sealed(2)), made+2000, made) // at that time
	m.begin()
	m.waitOpen()
	if m.near(keyOf(1)) == "" || m.near(keyOf(2)) != "" {
		t.Errorf("stored after the flush: %q; before it: %q", m.near(keyOf(1)), m.near(keyOf(2)))
	}
}

// TestManyFlushes: of more flushes than are remembered each still counts.
func TestManyFlushes(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	b.store(keyOf(1), sealed(1))
	b.quiet()
	owner := sessioncache.Tag([]byte("ownr"))
	a.window.Tell(window.Flush(&owner, 0))
	soon := uint32(time.Now().Unix() + 10)
	for i := range 3000 {
		other := sessioncache.Tag{byte(i), byte(i >> 8), 'x', 'x'}
		a.window.Tell(window.Flush(&other, soon))
	}
	a.quiet()
	a.asks(window.Get, keyOf(1), window.Miss)
}

// TestStoreThatLostAll: sessions that are near stay where the far store has lost everything, the log too; and it is told again of what machines agree on.
func TestStoreThatLostAll(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	until := uint32(time.Now().Unix() + 300)
	key := keyOf(7)
	a.served.AddRecord(ctx, &key, []byte("a record"), until, until-300)
	a.window.Tell(window.Item{Kind: window.Made, Key: key, Expires: until})
	other := sessioncache.Tag([]byte("othr"))
	a.window.Tell(window.Flush(&other, 0))
	a.store(keyOf(1), sealed(1))
	b.store(keyOf(2), "othr's")
	testredis.WaitFor(t, "both", func() bool {
		var e sessioncache.Entry
		found, _ := b.served.FindRecord(ctx, &key, &e, until-300)
		return found && b.near(keyOf(2)) == ""
	})
	b.end(0)
	redis.Kill()
	testredis.WaitFor(t, "a closed gate", func() bool { return !a.window.GateIsOpen() })
	redis.Run()
	testredis.WaitFor(t, "a far store that is told again", func() bool {
		return redis.CLI("EXISTS", "gosess:"+base64.RawURLEncoding.EncodeToString(key[:])) == ":1\r\n"
	})
	if a.near(keyOf(1)) == "" {
		t.Error("a session that was near has gone")
	}
	late := idle(t, redis.URL())
	late.served.Put(ctx, pointer(keyOf(3)), []byte("othr's too"), until, until-300)
	late.begin()
	late.waitOpen()
	testredis.WaitFor(t, "the flush, which the log has again", func() bool { return late.near(keyOf(3)) == "" })
	late.asks(window.GetRecord, key, window.Hit)
}

// TestAwayForTooLong: a machine that the log has gone past does not know what was removed.
func TestAwayForTooLong(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitOpen()
	m.store(keyOf(1), sealed(1))
	m.store(keyOf(2), sealed(2))
	tellRemoval(redis, 1)
	testredis.WaitFor(t, "a removal", func() bool { return m.near(keyOf(1)) == "" })
	tellRemovals(redis, 3, far.LogLength)
	testredis.WaitFor(t, "an empty near store", func() bool { return m.near(keyOf(2)) == "" })
}

// tellRemoval has another machine remove a session.
func tellRemoval(redis *testredis.Server, i int) { tellRemovals(redis, i, 1) }

// tellRemovals has it do so again and again, in a log that forgets what is older than an agent's log may be.
func tellRemovals(redis *testredis.Server, i, times int) {
	redis.CLI("EVAL", "for i = 1, ARGV[2] do redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', 'e', ARGV[1]) end", "1", "gosess:log",
		string((&far.Event{Remove: []far.Key{far.Key(keyOf(i))}}).Append(nil)), fmt.Sprint(times), fmt.Sprint(far.LogLength))
}

// TestAgentAwayForTooLong: so it is where the agent was not there meanwhile, but not where the log has all that was told since, nor for a machine that
// has never had an agent.
func TestAgentAwayForTooLong(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	const own, removed, other = 1, 2, 3
	for _, c := range []struct {
		name  string
		first func(m *machine)
		while func()
		stays bool
	}{
		{"the log was empty", (*machine).meet, func() { tellRemovals(redis, other, far.LogLength) }, false},
		{"the log has all", (*machine).meet, func() { tellRemovals(redis, removed, far.LogLength/2) }, true},
		{"the log went on", (*machine).meet, func() { tellRemovals(redis, other, far.LogLength) }, false},
		{"no agent before", func(*machine) {}, func() { tellRemovals(redis, other, far.LogLength) }, true},
		{"the far store lost all", (*machine).meet, func() { redis.CLI("FLUSHALL"); tellRemoval(redis, other) }, false},
	} {
		m := idle(t, redis.URL())
		m.store(keyOf(own), sealed(own))
		m.store(keyOf(removed), sealed(removed))
		c.first(m)
		c.while()
		m.begin()
		m.waitOpen()
		if stays := m.near(keyOf(own)) != ""; stays != c.stays {
			t.Errorf("%s: it is there: %v", c.name, stays)
		}
		m.end(0)
	}
}

// meet has an agent of the machine read the log to its end, and end.
func (m *machine) meet() {
	m.t.Helper()
	m.begin()
	testredis.WaitFor(m.t, "an agent that has read the log", func() bool { return m.window.LogRead() != "" })
	m.end(0)
}

// TestFlushOfLongAgo: what was flushed before the log begins lies in the far store all the same, and is not for a machine that comes later.
func TestFlushOfLongAgo(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	a.store(keyOf(1), sealed(1))
	a.quiet()
	a.window.Tell(window.Flush(nil, 0))
	a.quiet()
	for i := range 5 {
		for _, m := range []*machine{a, b} {
			m.store(keyOf(10+i), sealed(10+i))
		}
		for _, of := range []struct{ key, count int }{{1000, far.LogLength * 2 / 5}, {10 + i, 1}} {
			redis.CLI("EVAL", "for i = 1, ARGV[2] do redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'e', ARGV[1]) end", "1", "gosess:log",
				string((&far.Event{Remove: []far.Key{far.Key(keyOf(of.key))}}).Append(nil)), fmt.Sprint(of.count), fmt.Sprint(far.LogLength))
		}
		testredis.WaitFor(t, "machines that have read the log", func() bool { return a.near(keyOf(10+i)) == "" && b.near(keyOf(10+i)) == "" })
	}
	late := start(t, redis.URL())
	late.waitOpen()
	late.asks(window.Get, keyOf(1), window.Miss)
}

func pointer(key sessioncache.LookupKey) *sessioncache.LookupKey { return &key }
