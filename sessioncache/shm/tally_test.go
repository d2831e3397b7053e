package shm

import (
	"sync/atomic"
	"testing"

	"gosess/sessioncache"
)

// TestTally counts what is done with records, where the store says, and reads it from outside. What comes into the room of
// one that has expired counts from zero.
func TestTally(t *testing.T) {
	now := int64(testNow)
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, &now)
	reader, err := OpenReadOnly(s.mapping)
	if err != nil {
		t.Fatal(err)
	}
	tally := func(name string) *sessioncache.Tally {
		t.Helper()
		values, err := c.Record(ctx, name)
		if err != nil || len(values) != 1 || values[0].Tally == nil {
			t.Fatalf("%q: %+v, %v", name, values, err)
		}
		return values[0].Tally
	}
	add := func(name string, ends int64) {
		t.Helper()
		if err := c.AddRecord(ctx, name, recordValue(1), ends); err != nil {
			t.Fatal(err)
		}
	}
	want := func(secrets ...sessioncache.Secret) {
		t.Helper()
		got := reader.Stats().Secrets
		if len(got) != len(secrets) {
			t.Fatalf("%+v", got)
		}
		for i := range got {
			if got[i] != secrets[i] {
				t.Errorf("%+v, not %+v", got[i], secrets[i])
			}
		}
	}
	if err := sessioncache.Announce(ctx, s, nil, [][]byte{testKey(9), testKey(1)}); err != nil {
		t.Fatal(err)
	}
	want() // a sealing key is no secret of tickets
	add("a", now+10)
	now++
	add("b", now+20)
	atomic.AddUint64(&tally("a")[sessioncache.TallyMade], 3)
	atomic.AddUint64(&tally("a")[sessioncache.TallyAccepted], 2)
	atomic.AddUint64(&tally("b")[sessioncache.TallyMade], 1)
	want(sessioncache.Secret{Made: testNow, Ends: testNow + 10, Tally: sessioncache.Tally{3, 2}},
		sessioncache.Secret{Made: testNow + 1, Ends: testNow + 21, Tally: sessioncache.Tally{1, 0}})
	now += 10
	if err := c.ExpireRecords(ctx); err != nil {
		t.Fatal(err)
	}
	add("c", now+10)
	want(sessioncache.Secret{Made: testNow + 1, Ends: testNow + 21, Tally: sessioncache.Tally{1, 0}},
		sessioncache.Secret{Made: testNow + 11, Ends: testNow + 21})
	if process, context := s.CountersOf(0); context != nil || process == nil {
		t.Error("a row of no context")
	}
	row := s.Row(sessioncache.Tag{1}, "a.example", now)
	process, context := s.CountersOf(row)
	atomic.AddUint64(&process[sessioncache.TicketsMade], 5)
	atomic.AddUint64(&context[sessioncache.TicketsMade], 4)
	if st := reader.Stats(); st.Total[sessioncache.TicketsMade] != 5 || st.Workers[0].Counters[sessioncache.TicketsMade] != 5 ||
		st.Contexts[0].Counters[sessioncache.TicketsMade] != 4 {
		t.Errorf("%+v", st)
	}
}
