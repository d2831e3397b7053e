package metrics

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

const docs = "../../docs/monitoring"

// Each alert goes off where it should, and is silent where all is well.
func TestAlerts(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{docs + "/alerts.yml": "alerts.yml", "testdata/alerts_test.yml": "alerts_test.yml"} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	promtool(t, "", "test", "rules", filepath.Join(dir, "alerts_test.yml"))
	rules, err := os.ReadFile(docs + "/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	tested, err := os.ReadFile("testdata/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		if !strings.Contains(string(tested), `"`+name[1]+`"`) {
			t.Errorf("%s is not tested", name[1])
		}
	}
}

// prometheus is a running one.
type prometheus struct {
	t       *testing.T
	address string
}

// startPrometheus has the configuration of the page, with another target and the rules where they are.
func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed: Debian's package prometheus")
	}
	page, err := os.ReadFile(docs + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var block strings.Builder
	for line := range strings.Lines(string(page)) {
		if text, indented := strings.CutPrefix(line, "    "); indented {
			block.WriteString(text)
		}
	}
	rules, err := filepath.Abs(docs + "/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	configuration := "global: {scrape_interval: 1s, evaluation_interval: 1s}\n" +
		strings.NewReplacer("127.0.0.1:9477", target, "'alerts.yml'", "'"+rules+"'").Replace(block.String())
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "config", filepath.Join(dir, "prometheus.yml"))
	p := &prometheus{t, fmt.Sprintf("127.0.0.1:%d", port)}
	cmd := exec.Command(program, "--config.file="+dir+"/prometheus.yml", "--storage.tsdb.path="+dir+"/data", "--web.listen-address="+p.address, "--log.level=warn")
	var said strings.Builder
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus said %s", said.String())
		}
	})
	if err := harness.WaitFor("prometheus", func() bool {
		answer, err := http.Get("http://" + p.address + "/-/ready")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	}); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	return p
}

// get asks its API.
func (p *prometheus) get(path string, into any) {
	p.t.Helper()
	answer, err := http.Get("http://" + p.address + "/api/v1/" + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var whole struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(text, &whole); err != nil || whole.Status != "success" {
		p.t.Fatalf("%s: %v %s", path, err, text)
	}
	if err := json.Unmarshal(whole.Data, into); err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
}

// query is the values of an expression.
func (p *prometheus) query(expression string) (values []float64) {
	p.t.Helper()
	var data struct{ Result []struct{ Value [2]any } }
	p.get("query?query="+url.QueryEscape(expression), &data)
	for _, r := range data.Result {
		v, err := strconv.ParseFloat(r.Value[1].(string), 64)
		if err != nil {
			p.t.Errorf("%s: %v", expression, r.Value)
		}
		values = append(values, v)
	}
	return values
}

// Prometheus takes what is served, with the configuration of the page, and each query of the dashboard and each rule has an answer.
func TestPrometheus(t *testing.T) {
	var scrapes atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := uint64(scrapes.Add(1))
		format := Prometheus
		if strings.Contains(r.Header.Get("Accept"), "openmetrics") {
			format = OpenMetrics
		}
		w.Header().Set("Content-Type", format.ContentType())
		Write(w, format, "0.1.0", []Store{growing(n), {Name: "gone", Err: os.ErrNotExist}}, 1000)
	}))
	defer server.Close()
	p := startPrometheus(t, strings.TrimPrefix(server.URL, "http://"))
	if err := harness.WaitFor("some scrapes", func() bool {
		seen := p.query(`min(count_over_time(gosess_up[1h]))`)
		return len(seen) == 1 && seen[0] >= 4
	}); err != nil {
		t.Fatal(err)
	}

	var targets struct {
		ActiveTargets []struct{ Health, LastError string }
	}
	p.get("targets", &targets)
	if len(targets.ActiveTargets) != 1 || targets.ActiveTargets[0].Health != "up" || targets.ActiveTargets[0].LastError != "" {
		t.Errorf("%+v", targets)
	}
	var stores []string
	p.get("label/store/values?match[]=gosess_up", &stores)
	if len(stores) != 2 {
		t.Errorf("stores %q", stores)
	}
	for _, expression := range dashboard(t) {
		values := p.query(strings.NewReplacer("$store", ".*", "$__rate_interval", "1m").Replace(expression))
		good := 0
		for _, v := range values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				good++
			}
		}
		if good == 0 {
			t.Errorf("%s: %v", expression, values)
		}
	}
	if err := harness.WaitFor("all rules to be evaluated", func() bool {
		var rules struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
		p.get("rules", &rules)
		count := 0
		for _, group := range rules.Groups {
			for _, rule := range group.Rules {
				if rule.LastError != "" {
					t.Fatalf("%+v", rule)
				}
				if rule.Health == "ok" {
					count++
				}
			}
		}
		return count >= 10
	}); err != nil {
		t.Error(err)
	}
}

// growing is a store in which everything has happened so many times.
func growing(n uint64) Store {
	s := full(2, 2)
	for i := range s.Stats.Contexts {
		for c := range s.Stats.Contexts[i].Counters {
			s.Stats.Contexts[i].Counters[c] *= n
		}
	}
	for c := range s.Stats.Total {
		s.Stats.Total[c] *= n
	}
	s.Stats.Agent = &sessioncache.Agent{Serves: true, GateOpen: true, Hits: 3 * n, Timeouts: n, Overrun: n}
	s.Stats.Latency[sessioncache.Get].Buckets[2] = 4 * n
	return s
}

// dashboard is all that it asks Prometheus for.
func dashboard(t *testing.T) (expressions []string) {
	t.Helper()
	text, err := os.ReadFile(docs + "/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	if len(expressions) < 10 {
		t.Errorf("the dashboard asks for %q", expressions)
	}
	return expressions
}
