package remote

import (
	"fmt"
	"testing"

	"gosess/agent/internal/far"
	"gosess/agent/internal/testredis"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitUp()
	for i := range 3 {
		if err := m.Post(far.Event{Remove: []far.Key{keyOf(i), keyOf(i + 10)}}); err != nil {
			t.Fatal(err)
		}
	}
	redis.CLI("XADD", "gosess:log", "*", "e", "garbage")
	redis.CLI("XADD", "gosess:log", "*", "x", "y")
	events, next, gap, err := m.Since("")
	if err != nil || gap != far.None || len(events) != 3 || events[2].Remove[1] != keyOf(12) {
		t.Fatalf("%+v, %v, %v", events, gap, err)
	}
	m.Post(far.Event{Flush: &far.Flush{Owner: []byte("ownr"), Before: 5, Made: 6}})
	events, next, gap, err = m.Since(next)
	if err != nil || gap != far.None || len(events) != 1 || fmt.Sprint(*events[0].Flush) != fmt.Sprint(far.Flush{Owner: []byte("ownr"), Before: 5, Made: 6}) {
		t.Fatalf("%+v, %v, %v", events, gap, err)
	}
	if events, _, gap, err = m.Since(next); err != nil || gap != far.None || len(events) != 0 {
		t.Errorf("nothing new: %+v, %v, %v", events, gap, err)
	}
	redis.CLI("XDEL", "gosess:log", next)
	if events, _, gap, err = m.Since(next); err != nil || gap != far.Tail || len(events) != 0 {
		t.Errorf("without the last one: %+v, %v, %v", events, gap, err)
	}
	redis.CLI("XTRIM", "gosess:log", "MAXLEN", "0")
	m.Post(far.Event{Remove: []far.Key{keyOf(1)}})
	if events, _, gap, err = m.Since(next); err != nil || gap != far.All || len(events) != 0 {
		t.Errorf("after a gap: %+v, %v, %v", events, gap, err)
	}
	if events, _, gap, err = m.Since(""); err != nil || gap != far.None || len(events) != 1 {
		t.Errorf("from the beginning after it: %+v, %v, %v", events, gap, err)
	}
}
