package metrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gosess/sessioncache"
)

// full is a store with so many contexts and workers, each counter of which is one more than the one before.
func full(contexts, workers int) Store {
	s := Store{Name: `shm:/run/"web"`, Stats: sessioncache.Stats{Capacity: 100, Used: 10, Entries: 3, Oldest: 990}}
	var counters sessioncache.Counters
	for c := range counters {
		counters[c] = uint64(c + 1)
	}
	for n := range contexts {
		c := sessioncache.Context{Label: strings.Repeat("x", n) + ".example", Owner: sessioncache.Tag{byte(n)}, Counters: counters}
		s.Stats.Contexts = append(s.Stats.Contexts, c)
		for i := range counters {
			s.Stats.Total[i] += counters[i]
		}
	}
	for n := range workers {
		w := sessioncache.Worker{PID: n + 1, Live: n%2 == 0, Counters: counters, Versions: sessioncache.Versions{Gosess: 0x000100, Libssl: 0x30000130}}
		s.Stats.Workers = append(s.Stats.Workers, w)
	}
	s.Stats.Secrets = []sessioncache.Secret{{Made: 900, Ends: 2000}, {Made: 950, Ends: 3000, Tally: sessioncache.Tally{7, 5}}}
	s.Stats.Agent = &sessioncache.Agent{Serves: true, Queue: 3, Timeouts: 2}
	s.Stats.Latency[sessioncache.Get].Buckets[1] = 4
	s.Stats.Latency[sessioncache.Get].Sum = 3000 * time.Nanosecond
	return s
}

func write(t *testing.T, format Format, stores ...Store) string {
	t.Helper()
	var text bytes.Buffer
	if err := Write(&text, format, "0.1.0", stores, 1000); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestWrite(t *testing.T) {
	one := full(2, 2)
	one.Stats.Total[sessioncache.Hits] += 7 // of no context
	text := write(t, Prometheus, one, Store{Name: "gone", Err: errors.New("no")})
	for _, line := range []string{
		`gosess_up{store="shm:/run/\"web\""} 1`,
		`gosess_up{store="gone"} 0`,
		`# TYPE gosess_hits_total counter`,
		`gosess_hits_total{store="shm:/run/\"web\"",context="x.example"} 1`,
		`gosess_hits_total{store="shm:/run/\"web\"",context="others"} 7`,
		`gosess_misses_total{store="shm:/run/\"web\"",context="x.example",reason="terms"} 12`,
		`gosess_kept_total{store="shm:/run/\"web\"",context="x.example",reason="large"} 21`,
		`gosess_evictions_total{store="shm:/run/\"web\""} 8`,
		`gosess_tickets_made_total{store="shm:/run/\"web\"",context="x.example"} 24`,
		`gosess_tickets_accepted_total{store="shm:/run/\"web\"",context="x.example"} 25`,
		`gosess_tickets_not_accepted_total{store="shm:/run/\"web\"",context="x.example",reason="ended"} 27`,
		`gosess_ticket_secrets{store="shm:/run/\"web\""} 2`,
		`gosess_ticket_secret_newest_age_seconds{store="shm:/run/\"web\""} 50`,
		`gosess_ticket_secret_oldest_age_seconds{store="shm:/run/\"web\""} 100`,
		`gosess_oldest_session_age_seconds{store="shm:/run/\"web\""} 10`,
		`gosess_workers{store="shm:/run/\"web\""} 1`,
		`gosess_worker_up{store="shm:/run/\"web\"",pid="2",version="0.1.0",libssl="3.0.19"} 0`,
		`gosess_operation_duration_seconds_bucket{store="shm:/run/\"web\"",operation="get",le="5.12e-07"} 0`,
		`gosess_operation_duration_seconds_bucket{store="shm:/run/\"web\"",operation="get",le="+Inf"} 4`,
		`gosess_agent_up{store="shm:/run/\"web\""} 1`,
		`gosess_agent_queue{store="shm:/run/\"web\""} 3`,
		`gosess_agent_requests_total{store="shm:/run/\"web\"",result="timeouts"} 2`,
		`gosess_operation_duration_seconds_sum{store="shm:/run/\"web\"",operation="get"} 3e-06`,
	} {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	open := write(t, OpenMetrics, one)
	if !strings.HasSuffix(open, "\n# EOF\n") || !strings.Contains(open, "# TYPE gosess_hits counter\n") || !strings.Contains(open, "\n# TYPE gosess_build info\n") {
		t.Error(open)
	}
}

// A server has contexts anew after each reload: those of one certificate are one series.
func TestByLabel(t *testing.T) {
	s := full(1, 0).Stats
	s.Contexts = append(s.Contexts, s.Contexts[0])
	got := ByLabel(&s)
	if len(got) != 1 || got[0].Label != ".example" || got[0].Counters[sessioncache.Hits] != 2 {
		t.Errorf("%+v", got)
	}
}

// promtool is Prometheus's own check of what it reads.
func promtool(t *testing.T, stdin string, arguments ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: Debian's package prometheus")
	}
	cmd := exec.Command(path, arguments...)
	cmd.Stdin = strings.NewReader(stdin)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", arguments, err, output)
	}
}

func TestPromtool(t *testing.T) {
	promtool(t, write(t, Prometheus, full(3, 2)), "check", "metrics")
	promtool(t, "", "check", "rules", "../../docs/monitoring/alerts.yml")
}

// Every metric that the dashboard and the rules ask for is one that there is.
func TestNamesInDocs(t *testing.T) {
	text := write(t, Prometheus, full(1, 1))
	for _, file := range []string{"alerts.yml", "dashboard.json"} {
		content, err := os.ReadFile(filepath.Join("../../docs/monitoring", file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(content) {
			t.Errorf("%s is no JSON", file)
		}
		names := regexp.MustCompile(`gosess_[a-z_]+`).FindAllString(string(content), -1)
		for _, name := range names {
			if !strings.Contains(text, "\n"+name+"{") {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
		if len(names) < 5 {
			t.Errorf("%s asks for %q", file, names)
		}
	}
}

// No series is there twice, whatever certificates are called, and no byte is there that Prometheus does not read.
func TestNamesOfAnything(t *testing.T) {
	s := full(2, 1)
	s.Name = "shm:/srv/caf\xe9\n"
	for i, label := range []string{"", Others, unnamed, "a", "a"} {
		c := sessioncache.Context{Label: label, Owner: sessioncache.Tag{9, byte(i)}}
		c.Counters[sessioncache.Hits] = 10
		s.Stats.Contexts = append(s.Stats.Contexts, c)
		s.Stats.Total[sessioncache.Hits] += 10
	}
	s.Stats.Total[sessioncache.Hits] += 7 // of no context
	text := write(t, Prometheus, s)
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		series, _, _ := strings.Cut(line, "} ")
		if seen[series] {
			t.Errorf("twice: %s", line)
		}
		seen[series] = true
	}
	for _, want := range []string{`context="others"} 17`, `context="without a certificate"} 20`, `context="a"} 20`, `{store="shm:/srv/caf` + "\ufffd" + `\n"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if !utf8.ValidString(text) {
		t.Error("no UTF-8")
	}
}
