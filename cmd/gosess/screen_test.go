package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gosess/sessioncache"
)

// crowded is a store of which everything can be said, after so many seconds.
func crowded(seconds uint64) *sessioncache.Stats {
	s := &sessioncache.Stats{
		Size: 1 << 20, Capacity: 1000, Used: 500, Entries: 77, Created: 1000,
		Agent:   &sessioncache.Agent{Serves: true, GateOpen: true, Hits: 3, Timeouts: 1, Overrun: 2},
		Secrets: []sessioncache.Secret{{}},
	}
	for n := range 100 {
		c := sessioncache.Context{Label: fmt.Sprintf("a-rather-long-name-of-a-context-%d.example.org", n)}
		c.Counters[sessioncache.Hits] = 3 * seconds
		s.Contexts = append(s.Contexts, c)
	}
	for n := range 64 {
		s.Workers = append(s.Workers, sessioncache.Worker{PID: 4000000 + n, Live: true})
	}
	for c := range s.Total {
		s.Total[c] = uint64(c+1) * seconds
	}
	s.Total[sessioncache.Hits] = 300 * seconds
	s.Latency[sessioncache.Get].Buckets[3] = seconds
	return s
}

// What stats --watch shows fits 80 columns and 24 rows, whatever there is, says how often each thing happened since the last picture,
// and where it leaves something out.
func TestScreen(t *testing.T) {
	var text strings.Builder
	p := screen{out: &text, columns: 80, rows: 24}
	p.draw("shm:/var/lib/gosess/web", crowded(110), crowded(100), 10*time.Second, time.Unix(2000, 0))
	if err := p.show(true); err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("\x1b[H", "", "\x1b[K", "", "\x1b[J", "").Replace(text.String())
	lines := strings.Split(strings.TrimSuffix(plain, "\n"), "\n")
	if len(lines) > 23 || strings.Contains(plain, "\x1b") {
		t.Errorf("%d rows of 24: %q", len(lines), plain)
	}
	for _, line := range lines {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{
		"fill       50.0 % [##########..........] 77 sessions",
		"hits           300.0/s  misses       2.0/s: ",
		"stores           3.0/s  evictions    4.0/s",
		"evicted at an age of 5s",
		"errors 80, too big 70",
		"tickets         24.0/s  accepted    25.0/s  not accepted   81.0/s",
		"agent     serves the store; 0 handshakes wait, 0 news not delivered",
		"asked it  3 hits, 1 timeouts; lost: 2 overrun",
		"a-rather-long-name-of-a-contex        3.0        0.0  100.0        0.0",
	} {
		if !strings.Contains(squeeze(plain), squeeze(want)) {
			t.Errorf("%q is missing in\n%s", want, plain)
		}
	}
	if strings.Count(plain, "\n          ") == 0 || !strings.Contains(squeeze(strings.ReplaceAll(plain, "\n          ", " ")), "90 absent, 100 expired, 110 name, 120 terms, 130 unknown, 140 cipher, 150 taken, 160 broken") {
		t.Errorf("what is too long does not go on in another line:\n%s", plain)
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "... and ") {
		t.Errorf("it does not say what is left out: %s", last)
	}
}

// The first picture is of all time, and says so; without a terminal pictures follow each other.
func TestFirstScreen(t *testing.T) {
	var text strings.Builder
	p := screen{out: &text, columns: 200, rows: 24}
	p.draw("shm:/web", crowded(10), &sessioncache.Stats{}, 0, time.Unix(1010, 0))
	if err := p.show(false); err != nil || !strings.Contains(text.String(), "300.0/s") || !strings.Contains(text.String(), "since it was made") ||
		strings.Contains(text.String(), "\x1b") || !strings.HasSuffix(text.String(), "\n\n") {
		t.Errorf("%v: %s", err, text.String())
	}
}

// The two lines with bars are no longer than 80 columns where a store has a million sessions.
func TestGauges(t *testing.T) {
	p := screen{columns: 80, rows: 24}
	s := crowded(1000)
	s.Entries, s.Used, s.Oldest = 1234567, s.Capacity, 2000-100*3600
	for _, before := range []*sessioncache.Stats{{}, crowded(0)} {
		p.lines = nil
		p.draw("shm:/web", s, before, time.Second, time.Unix(2000, 0))
		if !strings.HasPrefix(p.lines[1], "fill ") || !strings.HasPrefix(p.lines[2], "hits ") {
			t.Errorf("%q", p.lines[:4])
		}
	}
}
