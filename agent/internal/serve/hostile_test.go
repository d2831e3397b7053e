package serve_test

import (
	"fmt"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/testredis"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// TestMadeUpRecords: whoever writes to the far store does not fill the room for the secrets of this machine, nor for longer than records are for.
func TestMadeUpRecords(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitOpen()
	now := uint32(time.Now().Unix())
	put := func(i int, life uint32) far.Key {
		key := far.Key(keyOf(i))
		m.client.Do([]far.Op{{Kind: far.Put, Key: key, Entry: far.Entry{Sealed: []byte("made up"), Expires: now + life}}})
		return key
	}
	made := []far.Key{put(10000, 365*24*3600)}
	for i := range m.served.RecordRoom() {
		made = append(made, put(i, 1000))
	}
	last := put(20000, 1000)
	for len(made) > 0 {
		n := min(len(made), far.MaxKeys)
		m.client.Post(far.Event{Made: made[:n]})
		made = made[n:]
	}
	m.store(sessioncache.LookupKey(last), "near")
	m.client.Post(far.Event{Remove: []far.Key{last}})
	testredis.WaitFor(t, "the end of the log", func() bool { return m.near(sessioncache.LookupKey(last)) == "" })
	count := 0
	m.served.EachRecord(now, func(key *sessioncache.LookupKey, _ *sessioncache.Entry) {
		if count++; *key == keyOf(10000) {
			t.Error("a record for a year is there")
		}
	})
	if room := m.served.RecordRoom(); count == 0 || count > room*3/4 {
		t.Errorf("%d of %d places are taken", count, room)
	}
	m.asks(window.GetRecord, sessioncache.LookupKey(put(30000, 1000)), window.Hit) // what somebody needs
	for i := range 10 {
		key := keyOf(40000 + i)
		if err := m.served.AddRecord(ctx, &key, []byte(fmt.Sprint("own ", i)), now+300, now); err != nil {
			t.Errorf("a record of this machine: %v", err)
		}
	}
}
