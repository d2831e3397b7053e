package harness

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"gosess/sessioncache"
)

// StatsAgree wants a store to count what the load client does: what was stored, what was resumed, and why the rest was not.
// certificates says that the contexts that handshakes begin with have some, which they are known by.
func (w Walker) StatsAgree(t *testing.T, certificates bool) {
	EachVersion(t, func(t *testing.T, version string) {
		walk := w(t, version, true, NoTickets)
		own, other, renewed := States[0], States[2], States[3]
		walk.enter(t, own, false)
		for _, state := range []State{own, other} {
			walk.as(state).Visits()
		}
		made := t.TempDir() + "/sessions"
		walk.counts(t, walk.as(own).With("--sessions", "20", "--attempts", "0", "--save", made), sessioncache.Stores)
		walk.as(own).Visits() // what the server's own cache has room for, if only one
		offer := func(state State) Guest {
			return walk.as(state).With("--load", made, "--attempts", "40", "--resume-only")
		}
		walk.counts(t, offer(own), sessioncache.Hits)
		walk.counts(t, offer(other), sessioncache.MissedName)
		walk.enter(t, renewed, true)
		walk.as(renewed).Visits()
		walk.counts(t, offer(renewed), sessioncache.MissedTerms)
		walk.enter(t, own, true)
		walk.as(own).Visits()
		walk.counts(t, offer(own), sessioncache.Hits)
		before := walk.Guest.Stats()
		walk.flush(t)
		if gone := walk.Guest.Stats()[sessioncache.Removals] - before[sessioncache.Removals]; gone < 20 {
			t.Errorf("%d sessions were removed", gone)
		}
		walk.counts(t, offer(own), sessioncache.MissedAbsent)
		walk.byContext(t, certificates)
	})
}

// counts wants a client to be counted so, and in no other way.
func (w *Walk) counts(t *testing.T, client Guest, as sessioncache.Counter) {
	t.Helper()
	before := w.Guest.Stats()
	r := client.load()
	var got Stats
	for c, value := range w.Guest.Stats() {
		got[c] = value - before[c]
	}
	var want Stats
	switch as {
	case sessioncache.Stores:
		want[as] = uint64(max(r.Handshakes, r.Tickets))
	case sessioncache.Hits:
		want[as], want[sessioncache.Stores] = uint64(r.Resumed), got[sessioncache.Stores]
		if r.Resumed != r.Attempts {
			t.Errorf("%v: resumed %d of %d", client.Arguments, r.Resumed, r.Attempts)
		}
		if stored := got[sessioncache.Stores]; stored > uint64(r.Resumed) || r.Tickets > 0 && stored < uint64(r.Tickets) {
			t.Errorf("%v: %d stores, %d tickets", client.Arguments, stored, r.Tickets)
		}
	default:
		want[as], want[sessioncache.Misses] = uint64(r.Attempts-r.Resumed), uint64(r.Attempts-r.Resumed)
		want[sessioncache.Stores] = got[sessioncache.Stores]
		if dropped, also := dropsAs[as]; also {
			want[dropped] = want[as]
		}
		if as == sessioncache.MissedTaken {
			// A session that is stored meanwhile may come to a slot that says so: the store then has nothing of the one before.
			absent := min(got[sessioncache.MissedAbsent], want[as]/10)
			want[as], want[sessioncache.MissedAbsent] = want[as]-absent, absent
		}
		if r.Resumed != 0 {
			t.Errorf("%v: resumed %d of %d", client.Arguments, r.Resumed, r.Attempts)
		}
	}
	if got != want || want[as] == 0 {
		t.Errorf("%v: %v, and the client has counted %v", client.Arguments, got, want)
	}
}

// dropsAs is as what a session is counted that a miss of this kind takes out of the store.
var dropsAs = map[sessioncache.Counter]sessioncache.Counter{
	sessioncache.MissedExpired: sessioncache.Expiries,
	sessioncache.MissedBroken:  sessioncache.Errors,
}

// flush empties the store from outside.
func (w *Walk) flush(t *testing.T) {
	t.Helper()
	command, err := Built("gosess")
	if err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(command, "flush", w.Guest.Store).CombinedOutput(); err != nil || !strings.HasPrefix(string(output), "flushed ") {
		t.Fatalf("%v: %s", err, output)
	}
}

// byContext wants the contexts to have all that was counted, under the names of their certificates.
func (w *Walk) byContext(t *testing.T, certificates bool) {
	t.Helper()
	var stats struct {
		Hits, Misses, Stores uint64
		Contexts             []struct {
			Label                string
			Hits, Misses, Stores uint64
		}
	}
	if err := readStore(&stats, []string{w.Guest.Store}); err != nil {
		t.Fatal(err)
	}
	for _, c := range stats.Contexts {
		stats.Hits, stats.Misses, stats.Stores = stats.Hits-c.Hits, stats.Misses-c.Misses, stats.Stores-c.Stores
		if (c.Label != "") != certificates {
			t.Errorf("the name of a context: %+v", c)
		}
	}
	if left, _ := json.Marshal(stats); stats.Hits+stats.Misses+stats.Stores != 0 || len(stats.Contexts) == 0 {
		t.Errorf("counted for no context: %s", left)
	}
}
