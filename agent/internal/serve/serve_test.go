package serve_test

import (
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/testredis"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// two starts two machines of one fleet.
func two(t *testing.T, url string) (a, b *machine) {
	t.Helper()
	a, b = start(t, url), start(t, url)
	a.waitOpen()
	b.waitOpen()
	return a, b
}

// hears waits until another machine has a session from the far store.
func (m *machine) hears(key sessioncache.LookupKey, want string) {
	m.t.Helper()
	testredis.WaitFor(m.t, "a session of another machine", func() bool {
		return m.ask(window.Get, key, testredis.Patience) == window.Hit
	})
	if got := m.near(key); got != want {
		m.t.Errorf("found %q; wanted %q", got, want)
	}
}

func TestOneMachineHasWhatAnotherOneStored(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	for i := range 1000 {
		a.store(keyOf(i), sealed(i))
	}
	for i := range 1000 {
		b.hears(keyOf(i), sealed(i))
	}
	b.asks(window.Get, keyOf(5000), window.Miss)
	key := keyOf(5000)
	if !b.window.IsMiss(&key) {
		t.Error("it is not noted that there is none")
	}
}

func TestRemovals(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	for i := range 4 {
		a.store(keyOf(i), sealed(i))
		b.hears(keyOf(i), sealed(i))
	}
	a.remove(keyOf(0))
	testredis.WaitFor(t, "the removal of a copy", func() bool { return b.near(keyOf(0)) == "" })
	b.asks(window.Get, keyOf(0), window.Miss)
	// The store is away meanwhile; the machine that has removed it does not find it there again.
	redis.Signal(syscall.SIGSTOP)
	a.remove(keyOf(1))
	testredis.WaitFor(t, "a closed gate", func() bool { return !a.window.GateIsOpen() && !b.window.GateIsOpen() })
	redis.Signal(syscall.SIGCONT)
	a.waitOpen()
	if a.ask(window.Get, keyOf(1), testredis.Patience) == window.Hit {
		t.Error("a machine finds what it has removed")
	}
	b.waitOpen()
	testredis.WaitFor(t, "the removal of a copy", func() bool { return b.near(keyOf(1)) == "" })
	// Stored again under the same key it is there.
	a.remove(keyOf(2))
	a.store(keyOf(2), "ownr again")
	testredis.WaitFor(t, "the removal of a copy", func() bool { return b.near(keyOf(2)) == "" })
	b.hears(keyOf(2), "ownr again")
	if got := b.near(keyOf(3)); got != sealed(3) {
		t.Errorf("what nobody removed is %q", got)
	}
}

// TestRemovalsOfWhatHasEnded are told to nobody.
func TestRemovalsOfWhatHasEnded(t *testing.T) {
	t.Parallel()
	a := start(t, testredis.Start(t).URL())
	a.waitOpen()
	now := uint32(time.Now().Unix())
	keys := []sessioncache.LookupKey{keyOf(1), keyOf(2), keyOf(3)}
	a.window.Removed(&keys[0], now-1000)
	a.window.Removed(&keys[1], now+1000)
	a.window.Removed(&keys[2], 0) // of an older version, which does not say
	var told []far.Key
	testredis.WaitFor(t, "removals in the log", func() bool {
		events, _, _, err := a.client.Since("")
		told = nil
		for _, e := range events {
			told = append(told, e.Remove...)
		}
		return err == nil && len(told) >= 2
	})
	if len(told) != 2 || told[0] != far.Key(keys[1]) || told[1] != far.Key(keys[2]) {
		t.Errorf("told of %x", told)
	}
}

func TestFlush(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	other := "othr of another owner"
	a.store(keyOf(0), sealed(0))
	a.store(keyOf(1), other)
	a.store(keyOf(2), sealed(2))
	b.hears(keyOf(0), sealed(0))
	b.hears(keyOf(1), other)
	owner := sessioncache.Tag([]byte("ownr"))
	a.window.Tell(window.Flush(&owner, 0))
	testredis.WaitFor(t, "a flush of another machine", func() bool { return b.near(keyOf(0)) == "" })
	b.asks(window.Get, keyOf(0), window.Miss)
	b.asks(window.Get, keyOf(2), window.Miss) // which only the far store still has
	if got := b.near(keyOf(1)); got != other {
		t.Errorf("what was not flushed is %q", got)
	}
	late := start(t, redis.URL()) // an agent that was not there
	late.waitOpen()
	testredis.WaitFor(t, "the flush", func() bool { return late.ask(window.Get, keyOf(2), testredis.Patience) == window.Miss })
	late.asks(window.Get, keyOf(1), window.Hit)
}

// TestSingleUse offers each session to two machines at the same moment, while agents end and begin.
func TestSingleUse(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	const count = 2000
	taken := make([]atomic.Int32, count)
	var ended sync.WaitGroup
	for from := 0; from < count; from += 100 {
		for i := from; i < from+100; i++ {
			a.store(keyOf(i), sealed(i))
		}
		if from%500 == 0 { // without a farewell: as if it were killed
			a.end(0)
			a.begin()
			a.waitOpen()
		}
		for _, m := range []*machine{a, b} {
			ended.Go(func() {
				for i := from; i < from+100; i++ {
					state := m.ask(window.Take, keyOf(i), testredis.Patience)
					for tries := 0; state == window.Failure && tries < 100; tries++ { // what it may take is not told yet, on a busy machine
						state = m.ask(window.Take, keyOf(i), testredis.Patience)
					}
					if state == window.Hit {
						taken[i].Add(1)
					}
				}
			})
		}
		ended.Wait()
	}
	hits := 0
	for i := range taken {
		if n := taken[i].Load(); n > 1 {
			t.Errorf("session %d was taken %d times", i, n)
		} else {
			hits += int(n)
		}
	}
	if hits < count/2 {
		t.Errorf("only %d of %d were taken", hits, count)
	}
}

// TestRecords: machines that make a record at the same time have one in the end.
func TestRecords(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	until := uint32(time.Now().Unix() + 300)
	key := keyOf(1)
	for text, m := range map[string]*machine{"secret of a": a, "secret of b": b} {
		if err := m.served.AddRecord(ctx, &key, []byte(text), until, until-300); err != nil {
			t.Fatal(err)
		}
		m.window.Tell(window.Item{Kind: window.Made, Key: key, Expires: until})
	}
	record := func(m *machine) string {
		var e sessioncache.Entry
		m.served.FindRecord(ctx, &key, &e, until-300)
		return string(e.Sealed)
	}
	testredis.WaitFor(t, "one record", func() bool { return record(a) == record(b) && record(a) != "" })
	late := start(t, redis.URL())
	late.waitOpen()
	late.asks(window.GetRecord, key, window.Hit)
	if record(late) != record(a) {
		t.Errorf("a third machine has %q, not %q", record(late), record(a))
	}
	late.asks(window.GetRecord, keyOf(2), window.Miss)
}

// TestAwayForLong: what is stored while the far store is away gets there later.
func TestAwayForLong(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	redis.Kill()
	testredis.WaitFor(t, "closed gates", func() bool { return !a.window.GateIsOpen() && !b.window.GateIsOpen() })
	for i := range 1000 {
		a.store(keyOf(i), sealed(i))
	}
	b.asks(window.Get, keyOf(1), window.Failure)
	redis.Run()
	b.waitOpen()
	for i := range 1000 {
		b.hears(keyOf(i), sealed(i))
	}
}

// TestFarewell: an agent that is asked to end delivers first.
func TestFarewell(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	for i := range 3000 {
		a.store(keyOf(i%1000), sealed(i%1000))
	}
	if left := a.end(testredis.Patience); left != 0 {
		t.Errorf("%d were left", left)
	}
	if a.window.MayWait() {
		t.Error("workers wait for an agent that has ended")
	}
	for i := range 1000 {
		b.asks(window.Get, keyOf(i), window.Hit)
	}
}

// TestStruckGate: workers close the gate, and it opens again when the store answers.
func TestStruckGate(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitOpen()
	m.window.CloseGate()
	m.waitOpen()
}

// TestAbandonedSlots: workers that were killed while they waited.
func TestAbandonedSlots(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	for slot := range window.Slots {
		m.word(window.SlotsAt + slot*window.SlotSize).Store(uint32(8 + slot%7))
	}
	testredis.WaitFor(t, "free slots", func() bool {
		for slot := range window.Slots {
			if m.word(window.SlotsAt+slot*window.SlotSize).Load()&7 != window.Free {
				return false
			}
		}
		return true
	})
	if n := m.window.Counter(window.CountReclaimed); n < window.Slots*5/7 {
		t.Errorf("%d slots were reclaimed", n)
	}
}

// TestFarAway: for a store whose answers always come too late nobody waits any more, but it is told what is stored.
func TestFarAway(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	proxy := testredis.NewProxy(t, redis.Port)
	a, b := two(t, proxy.URL())
	proxy.Delay(150 * time.Millisecond) // beside which it does not count how busy this machine is
	if state := a.ask(window.Get, keyOf(1), 2*time.Millisecond); state >= window.Hit {
		t.Errorf("the answer is %d, in no time", state)
	}
	// What workers do after five of these. The late answer has come when the store has answered again. If it came much later than the next ones, as
	// the machine was busy, these are in time for all that the agent knows.
	stays := func() bool {
		a.ask(window.Get, keyOf(1), 2*time.Millisecond)
		a.asks(window.Get, keyOf(2), window.Miss)
		a.window.CloseGate()
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if a.window.GateIsOpen() {
				return false
			}
		}
		return true
	}
	testredis.WaitFor(t, "a gate that stays closed", stays)
	a.store(keyOf(3), sealed(3))
	b.hears(keyOf(3), sealed(3))
	proxy.Delay(0)
	a.waitOpen()
}
