package serve_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/testredis"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// record is what a machine has near of a record.
func (m *machine) record(key sessioncache.LookupKey) string {
	var e sessioncache.Entry
	m.served.FindRecord(ctx, &key, &e, uint32(time.Now().Unix()))
	return string(e.Sealed)
}

// makes does what a worker does that needs a record, where it finds none that opens: those of these tests begin with "good".
func (m *machine) makes(key sessioncache.LookupKey, text string) {
	m.t.Helper()
	m.ask(window.GetRecord, key, testredis.Patience)
	now := uint32(time.Now().Unix())
	var e sessioncache.Entry
	if found, _ := m.served.FindRecord(ctx, &key, &e, now); found && strings.HasPrefix(string(e.Sealed), "good") {
		return
	} else if found {
		m.served.DropRecord(ctx, &e, now)
	}
	if err := m.served.AddRecord(ctx, &key, []byte(text), now+300, now); err != nil {
		m.t.Fatal(err)
	}
	m.window.Tell(window.Item{Kind: window.Made, Key: key, Expires: now + 300})
}

// TestSpoiltRecord: what does not open, or is no record, makes way for the first one that does, and machines agree on that.
func TestSpoiltRecord(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	until := uint32(time.Now().Unix() + 1000)
	entry := func(text string, expires uint32) string {
		return string((&far.Entry{Sealed: []byte(text), Expires: expires}).Append(nil))
	}
	for i, value := range []string{entry("does not open", until), entry("does not end", until+1<<30), "no entry", entry("cut", until)[:9], entry("has ended", until-2000)} {
		key := keyOf(i)
		name := "gosess:" + base64.RawURLEncoding.EncodeToString(key[:])
		redis.CLI("SET", name, value, "EX", "1000")
		testredis.WaitFor(t, "a good record", func() bool {
			a.makes(key, "good, of a") // one worker after the other
			b.makes(key, "good, of b")
			got := a.record(key)
			return strings.HasPrefix(got, "good") && got == b.record(key) && strings.HasSuffix(strings.TrimSpace(redis.CLI("GET", name)), got)
		})
		late := start(t, redis.URL())
		late.waitOpen()
		if late.makes(key, "good, but late"); late.record(key) != a.record(key) {
			t.Errorf("%q: a third machine has %q, not %q", value, late.record(key), a.record(key))
		}
		late.end(0)
	}
}

// TestLostRecord: where the near store has lost the record of the fleet, and a worker makes another one, that of the fleet comes back.
func TestLostRecord(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	key := keyOf(1)
	a.makes(key, "good, of a")
	testredis.WaitFor(t, "the record of the other machine", func() bool { return b.record(key) == "good, of a" })
	now := uint32(time.Now().Unix())
	var e sessioncache.Entry
	if found, _ := b.served.FindRecord(ctx, &key, &e, now); !found || b.served.DropRecord(ctx, &e, now) != nil {
		t.Fatal("it is not dropped")
	}
	if err := b.served.AddRecord(ctx, &key, []byte("good, but late"), now+300, now); err != nil {
		t.Fatal(err)
	}
	b.window.Tell(window.Item{Kind: window.Made, Key: key, Expires: now + 300})
	testredis.WaitFor(t, "the record of the fleet", func() bool { return b.record(key) == "good, of a" })
	if got := redis.CLI("GET", "gosess:"+base64.RawURLEncoding.EncodeToString(key[:])); !strings.HasSuffix(strings.TrimSpace(got), "good, of a") {
		t.Errorf("the far store has %q", got)
	}
}

// TestRecordsAreTold: a record that one machine makes is near on the others, though nobody asks for it, and it was made while an agent was away.
func TestRecordsAreTold(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL())
	until := uint32(time.Now().Unix() + 300)
	for i := range 2 {
		if i == 1 {
			b.end(0)
		}
		key := keyOf(i)
		if err := a.served.AddRecord(ctx, &key, []byte("a key"), until, until-300); err != nil {
			t.Fatal(err)
		}
		a.window.Tell(window.Item{Kind: window.Made, Key: key, Expires: until})
		if i == 1 {
			testredis.WaitFor(t, "the record in the far store", func() bool { return a.ask(window.GetRecord, key, testredis.Patience) == window.Hit })
			b.begin()
		}
		testredis.WaitFor(t, "the record of another machine", func() bool {
			var e sessioncache.Entry
			found, _ := b.served.FindRecord(ctx, &key, &e, until-300)
			return found && string(e.Sealed) == "a key"
		})
	}
}
