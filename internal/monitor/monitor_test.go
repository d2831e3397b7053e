package monitor

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gosess/internal/inspect"
	"gosess/internal/metrics"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// hour is a monitor of one store that has had an hour of it: so many hits, misses and evictions each ten seconds.
func hour(hits, misses, evictions uint64) *Monitor {
	m := New("0.1.0", []Source{{Name: `shm:/run/<web> "1"`, Open: func() (*inspect.Store, error) { return nil, errors.New("gone") }}})
	w := m.watched[0]
	w.last = metrics.Store{Name: w.Name, Stats: sessioncache.Stats{
		Capacity: 100, Size: 1 << 20, Entries: 5, Used: 40,
		Workers:  []sessioncache.Worker{{PID: 77, Live: true, Versions: sessioncache.Versions{Gosess: 0x000200, Libssl: 0x30000130}}, {PID: 78}},
		Contexts: []sessioncache.Context{{Label: "<b>.example", Counters: sessioncache.Counters{sessioncache.Hits: 5}}},
	}}
	start := time.Now().Add(-time.Hour)
	for range 2 * kept {
		s := &w.last.Stats
		s.Total[sessioncache.Hits] += hits
		s.Total[sessioncache.Misses] += misses
		s.Total[sessioncache.MissedTerms] += misses
		s.Total[sessioncache.MissedAbsent] += evictions
		s.Total[sessioncache.Evictions] += evictions
		s.Total[sessioncache.EvictionAge] += 300 * evictions
		s.Latency[sessioncache.Get].Buckets[3] += hits
		w.remember(start)
		start = start.Add(Interval)
	}
	return m
}

func (m *Monitor) render(t *testing.T) string {
	t.Helper()
	w := m.watched[0]
	var text strings.Builder
	if err := page.Execute(&text, view{Stores: []storeView{w.view("store1", time.Now(), m.Version)}}); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// The page says what the numbers mean, in words too, and takes nothing for HTML that comes from elsewhere.
func TestPage(t *testing.T) {
	m := hour(900, 100, 10)
	if n := len(m.watched[0].history); n != kept {
		t.Errorf("%d samples", n)
	}
	text := m.render(t)
	for _, want := range []string{
		"In the last hour 90.0 % of 360000 lookups found their session.",
		"Of 36000 misses, 36000 are so because a full handshake would show another certificate now",
		"3600 sessions made way for others, when they had been stored for 5 minutes on average",
		"A process runs another version than 0.1.0",
		"Hits: 90 /s last, between 90 /s and 90 /s. Misses: 10 /s last",
		"&lt;b&gt;.example", "78 (ended)", `aria-labelledby="store1-rate-words"`, "<td>36000</td>",
		"Age: 300 s last",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(text, "<b>") || strings.Contains(text, "NaN") || strings.Contains(text, "<script") {
		t.Error(text)
	}
	if n := strings.Count(text, "<path "); n != 7 {
		t.Errorf("%d lines are drawn", n)
	}
}

// What made way and nobody has missed is no reason for a larger store.
func TestPageOfWhatNobodyMisses(t *testing.T) {
	m := hour(900, 100, 10)
	for i := range m.watched[0].history {
		m.watched[0].history[i].counters[sessioncache.MissedAbsent] = 0
	}
	if text := m.render(t); !strings.Contains(text, "<li>In the last hour 3600 sessions made way for others, and nearly none was missed afterwards") || strings.Contains(text, "make the store larger") {
		t.Error(text)
	}
}

// Nothing at all, and a store that cannot be read, are told.
func TestPageOfNothing(t *testing.T) {
	m := hour(0, 0, 0)
	m.watched[0].last.Stats.Workers = nil
	if text := m.render(t); !strings.Contains(text, "No server has ever used this store") || !strings.Contains(text, "There is nothing to show yet.") {
		t.Error(text)
	}
	m.watched[0].store = nil
	m.look(time.Now(), true)
	if text := m.render(t); !strings.Contains(text, "The store cannot be read: gone.") || strings.Contains(text, "<figure") {
		t.Error(text)
	}
}

// Tickets, and what they are sealed under, are shown where there are some.
func TestPageOfTickets(t *testing.T) {
	if text := hour(10, 10, 0).render(t); strings.Contains(text, "icket") {
		t.Errorf("there are no tickets: %s", text)
	}
	m := hour(0, 0, 0)
	w := m.watched[0]
	now := time.Now()
	w.history = nil
	for i := range kept {
		w.last.Stats.Total[sessioncache.TicketsMade] += 30
		w.last.Stats.Total[sessioncache.TicketsAccepted] += 30
		w.last.Stats.Total[sessioncache.TicketsEnded] += 10
		w.remember(now.Add(time.Duration(i-kept) * Interval))
	}
	w.last.Stats.Secrets = []sessioncache.Secret{{Made: now.Unix() - 600, Ends: now.Unix() + 7200, Tally: sessioncache.Tally{51, 47}}}
	text := m.render(t)
	for _, want := range []string{
		"In the last hour 75.0 % of 14400 tickets were accepted.",
		"Of 3600 tickets that were not accepted, 3600 were not because the session that they carry is over.",
		"<td>10 minutes ago</td><td>in 2 hours</td><td>51</td><td>47</td>",
		"Accepted: 3 /s last, between 3 /s and 3 /s. Not accepted: 1 /s last",
		"Lookups: nothing yet. Tickets: 75 % last",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
	if strings.Contains(text, "nobody has offered") {
		t.Error("somebody has offered tickets")
	}
}

// What an agent does is told, and what it means.
func TestPageOfFleet(t *testing.T) {
	m := hour(10, 10, 0)
	a := &sessioncache.Agent{Serves: true, GateOpen: true, Queue: 3, Hits: 41, Timeouts: 2}
	m.watched[0].last.Stats.Agent = a
	text := m.render(t)
	for _, want := range []string{"<dt>Agent</dt><dd>serves</dd>", "<dt>News not delivered</dt><dd>3</dd>", "hits: the far store had it</th><td>41</td>"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
	for _, bad := range []string{"No agent serves", "gate is closed", "no answer in time", "news were lost", "what is older is lost"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q, although all is well", bad)
		}
	}
	s := &m.watched[0].last.Stats
	s.Workers[1] = sessioncache.Worker{PID: 79, Live: true, Versions: sessioncache.Versions{Gosess: 0x000100}}
	if text := m.render(t); !strings.Contains(text, `<th scope="row">79 (agent)</th>`) {
		t.Errorf("the agent is not told: %s", text)
	}
	s.Workers[0].Live = false
	if text := m.render(t); !strings.Contains(text, "No living server has this store open") {
		t.Errorf("an agent is no server: %s", text)
	}
	s.Workers[0].Live = true
	for _, test := range []struct {
		change func()
		want   string
	}{
		{func() { a.Timeouts = 20 }, "Of 61 requests to the agent, 20 had no answer in time"},
		{func() { a.Overrun = 7 }, "7 news were lost"},
		{func() { a.Queue = 16384 }, "16384 news wait for the agent, and there is room for 16384"},
		{func() { a.GateOpen = false }, "The agent&#39;s gate is closed"},
		{func() { a.Serves = false }, "No agent serves this store"},
	} {
		test.change()
		if text := m.render(t); !strings.Contains(text, test.want) {
			t.Errorf("%q is missing in %s", test.want, text)
		}
	}
}

// What is served, to whom, and in which form.
func TestServer(t *testing.T) {
	m := New("0.1.0", []Source{{Name: "shm:/no", Open: func() (*inspect.Store, error) { return inspect.ByURL("shm:/no", inspect.ToRead) }}})
	server := httptest.NewServer(Server(m, true).Handler)
	defer server.Close()
	get := func(method, path, host, accept string) (int, http.Header, string) {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			r.Host = host
		}
		r.Header.Set("Accept", accept)
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.Header, string(text)
	}
	for _, test := range []struct {
		method, path, host, accept string
		status                     int
		kind, has                  string
	}{
		{"GET", "/", "", "", 200, "text/html", "The store cannot be read"},
		{"GET", "/", "localhost:1", "", 200, "text/html", ""},
		{"GET", "/", "[::1]:1", "", 200, "text/html", ""},
		{"GET", "/", "evil.example", "", 421, "", ""},
		{"GET", "/other", "", "", 404, "", ""},
		{"POST", "/", "", "", 405, "", ""},
		{"DELETE", "/metrics", "", "", 405, "", ""},
		{"GET", "/metrics", "", "", 200, "text/plain; version=0.0.4", `gosess_up{store="shm:/no"} 0`},
		{"GET", "/metrics", "", "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.5", 200, "application/openmetrics-text; version=1.0.0", "# EOF\n"},
		{"GET", "/metrics", "", "application/openmetrics-text;version=0.0.1", 200, "text/plain", ""},
		{"GET", "/metrics", "", "application/openmetrics-text;q=0.0", 200, "text/plain", ""},
	} {
		status, header, text := get(test.method, test.path, test.host, test.accept)
		if status != test.status || !strings.HasPrefix(header.Get("Content-Type"), test.kind) || !strings.Contains(text, test.has) {
			t.Errorf("%+v: %d %v %s", test, status, header, text)
		}
		if status == 200 && !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") {
			t.Errorf("%+v: %v", test, header)
		}
	}
}

// Stores come and go under a monitor that looks on, and what was seen of one is not taken for the next one's.
func TestStoresComeAndGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	m := New("0.1.0", []Source{{Name: "web", Open: func() (*inspect.Store, error) { return inspect.ByURL("shm:"+path, inspect.ToRead) }}})
	w := m.watched[0]
	now := time.Now()
	look := func(what string, created int64, remembered int) {
		t.Helper()
		now = now.Add(Interval)
		m.look(now, true)
		if got := w.last; created == 0 && got.Err == nil || created != 0 && (got.Err != nil || got.Stats.Created != created) || len(w.history) != remembered {
			t.Errorf("%s: made at %d, %v, %d samples", what, got.Stats.Created, got.Err, len(w.history))
		}
	}
	look("not there yet", 0, 0)
	writeStore(t, path, 3600, 5)
	look("it is made", 3600, 1)
	look("it is there", 3600, 2)
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	look("it is cut short", 0, 2)
	look("it stays so", 0, 2)
	writeStore(t, path, 7200, 9)
	look("another is in its place", 7200, 1)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	look("it is removed", 0, 1)
}

// writeStore puts a store of 1 MiB there, in which a worker has stored so many sessions.
func writeStore(t *testing.T, path string, created int64, stores uint64) {
	t.Helper()
	content := make([]byte, shm.MinSize)
	copy(content, shm.Magic)
	le := binary.LittleEndian
	le.PutUint32(content[shm.VersionAt:], shm.Version)
	le.PutUint32(content[shm.SizeAt:], shm.HeaderSize)
	le.PutUint64(content[shm.TotalAt:], shm.MinSize)
	le.PutUint64(content[shm.CreatedAt:], uint64(created))
	le.PutUint32(content[shm.SumAt:], crc32.ChecksumIEEE(content[:shm.SumAt]))
	binary.NativeEndian.PutUint64(content[shm.PlacesOf(shm.MinSize).WorkersAt+64+8*int(sessioncache.Stores):], stores)
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestPlot(t *testing.T) {
	nan := math.NaN()
	p := makePlot("p", "title", "s", 0, series{"one", []float64{1, nan, 3, 4}})
	if p.Words != "One: 4 s last, between 1 s and 4 s." || !strings.Contains(string(p.Picture), `d="M237.0 122.8h.1M559.0 68.4h.1L720.0 41.2"`) {
		t.Errorf("%+v", p)
	}
	if p := makePlot("p", "title", "s", 0, series{"one", []float64{nan}}); p.Picture != "" || p.Words == "" {
		t.Errorf("%+v", p)
	}
	for v, want := range map[float64]string{0: "0", 0.125: "0.12", 2.5: "2.5", 250.7: "251", 12345: "12k", 2.5e6: "2.5M"} {
		if got := short(v); got != want {
			t.Errorf("%v is %s", v, got)
		}
	}
}
