package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"gosess/sessioncache"
)

// The tests of this file are for a store that has records; the others pass them.

// testRecords asks a store for records, or that it says that it has none.
func testRecords(t *testing.T, empty Empty) {
	if _, ok := empty(t)(t).(sessioncache.Records); !ok {
		testNoRecords(t, empty)
		return
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, empty Empty)
	}{
		{"Record", testRecord},
		{"Keys", testRecordKeys},
		{"BesideSessions", testRecordsAndSessions},
		{"Full", testFullRecords},
		{"Race", testRecordRace},
		{"KeysFollow", testKeysFollow},
		{"KeysOfFleet", testKeysOfFleet},
		{"HostileKeys", testHostileKeys},
		{"ManyKeys", testManyKeys},
		{"KeysByThreads", testKeysByThreads},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, empty) })
	}
}

func testNoRecords(t *testing.T, empty Empty) {
	now := int64(Now)
	c := Cache(t, empty(t)(t), &now)
	mustAdd(t, c, "one", secret(1), now+10, sessioncache.ErrNoRecords)
	if _, err := c.Record(ctx, "one"); err != sessioncache.ErrNoRecords {
		t.Errorf("Record: %v", err)
	}
	if err := c.ExpireRecords(ctx); err != sessioncache.ErrNoRecords {
		t.Errorf("ExpireRecords: %v", err)
	}
}

// recording makes a cache over an empty store.
func recording(t *testing.T, empty Empty, now *int64) (*sessioncache.Cache, Open) {
	t.Helper()
	open := empty(t)
	return Cache(t, open(t), now), open
}

func testRecord(t *testing.T, empty Empty) {
	now := int64(Now)
	c, open := recording(t, empty, &now)
	mustRecord(t, c, "one")
	mustAdd(t, c, "one", secret(1), now+10, nil)
	mustAdd(t, c, "one", secret(2), now+20, sessioncache.ErrExists)
	mustAdd(t, c, "two", []byte("short"), now+20, nil)
	other := Cache(t, open(t), &now) // another process
	mustRecord(t, other, "one", secret(1))
	mustRecord(t, other, "two", []byte("short"))
	mustAdd(t, other, "one", secret(2), now+20, sessioncache.ErrExists)
	mustAdd(t, c, "three", secret(3), now-1, sessioncache.ErrExpired)
	mustAdd(t, c, "three", nil, now+1, sessioncache.ErrTooBig)
	mustAdd(t, c, "three", make([]byte, sessioncache.MaxRecord+1), now+1, sessioncache.ErrTooBig)

	// Its last second is its own; then it is not there, and another may be.
	now += 10
	mustRecord(t, c, "one", secret(1))
	now++
	mustRecord(t, c, "one")
	mustAdd(t, other, "one", secret(2), now+20, nil)
	mustRecord(t, c, "one", secret(2))
	if st := stats(t, c); st.Entries != 0 || st.Total != (sessioncache.Counters{}) {
		t.Errorf("records are in the statistics: %+v", st)
	}
}

// testRecordKeys has processes with other keys: each value is found by whoever has its key.
func testRecordKeys(t *testing.T, empty Empty) {
	now := int64(Now)
	one, open := recording(t, empty, &now)
	both := Cache(t, open(t), &now, Key(2), Key(1))
	two := Cache(t, open(t), &now, Key(2))
	mustAdd(t, one, "a", secret(1), now+10, nil)
	mustRecord(t, both, "a", secret(1))
	mustAdd(t, both, "a", secret(2), now+10, sessioncache.ErrExists)
	mustRecord(t, two, "a")
	mustAdd(t, two, "a", secret(2), now+10, nil)
	mustRecord(t, both, "a", secret(2), secret(1))
	mustRecord(t, one, "a", secret(1))
}

// testRecordsAndSessions fills a store with sessions: no record makes way, and none is flushed.
func testRecordsAndSessions(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := recording(t, empty, &now)
	for n := range 8 {
		mustAdd(t, c, fmt.Sprint(n), secret(n), now+1000, nil)
	}
	for n := range 9000 {
		Put(t, c, OriginA, ID(n), DER(ID(n), 0, OrdinaryDER), now+10)
	}
	if err := c.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	for n := range 8 {
		mustRecord(t, c, fmt.Sprint(n), secret(n))
	}
}

// testFullRecords adds records until there is no room: what has expired makes room, and nothing else.
func testFullRecords(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := recording(t, empty, &now)
	room := 0
	for ; room < 10000; room++ {
		expires := now + 10 + int64(room%2)*100
		if err := c.AddRecord(ctx, fmt.Sprint(room), secret(room), expires); err != nil {
			if !errors.Is(err, sessioncache.ErrFull) {
				t.Fatal(err)
			}
			break
		}
	}
	if room < 30 || room != c.RecordRoom() {
		t.Fatalf("room for %d records, not %d", room, c.RecordRoom())
	}
	now += 11
	for n := range room / 2 {
		mustAdd(t, c, fmt.Sprint("new ", n), secret(-n), now+10, nil)
	}
	mustAdd(t, c, "one more", secret(0), now+10, sessioncache.ErrFull)
	for n := range room {
		if n%2 == 1 {
			mustRecord(t, c, fmt.Sprint(n), secret(n))
		}
	}
	now += 1000
	if err := c.ExpireRecords(ctx); err != nil {
		t.Fatal(err)
	}
	for n := range room {
		mustAdd(t, c, fmt.Sprint(n), secret(n+1), now+10, nil)
	}
}

// testRecordRace has many add one record at the same moment: one of them does, and all read its value.
func testRecordRace(t *testing.T, empty Empty) {
	const processes = 8
	now := int64(Now)
	_, open := recording(t, empty, &now)
	for round := range 20 * Thorough {
		name := fmt.Sprint("round ", round)
		var all sync.WaitGroup
		begin := make(chan struct{})
		added := make([]bool, processes)
		for n := range processes {
			c := Cache(t, open(t), &now)
			all.Go(func() {
				<-begin
				err := c.AddRecord(ctx, name, secret(n), now+1)
				added[n] = err == nil
				if err != nil && !errors.Is(err, sessioncache.ErrExists) {
					t.Error(err)
				}
			})
		}
		close(begin)
		all.Wait()
		adder := -1
		for n, did := range added {
			if did && adder >= 0 {
				t.Errorf("%s: %d and %d have both added it", name, adder, n)
			}
			if did {
				adder = n
			}
		}
		if adder < 0 {
			t.Fatalf("%s: nobody has added it", name)
		}
		mustRecord(t, Cache(t, open(t), &now), name, secret(adder))
		now += 2
	}
}
