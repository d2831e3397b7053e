package fleet_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

const monitoring = "../../docs/monitoring"

// prometheus is a running one.
type prometheus struct {
	t       *testing.T
	address string
}

// startPrometheus has the configuration of docs/monitoring, with another target and the rules where they are.
func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	rules, err := filepath.Abs(monitoring + "/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	configuration := "global: {scrape_interval: 1s, evaluation_interval: 1s}\n" +
		strings.NewReplacer("127.0.0.1:9477", target, "'alerts.yml'", "'"+rules+"'").Replace(block(t, monitoring+"/README.md"))
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	sh(t, dir, "promtool check config prometheus.yml")
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	p := &prometheus{t, fmt.Sprintf("127.0.0.1:%d", port)}
	cmd := exec.Command("prometheus", "--config.file="+dir+"/prometheus.yml", "--storage.tsdb.path="+dir+"/data", "--web.listen-address="+p.address, "--log.level=warn")
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

// block is what is indented in a page.
func block(t *testing.T, file string) string {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for line := range strings.Lines(string(page)) {
		if rest, indented := strings.CutPrefix(line, "    "); indented {
			text.WriteString(rest)
		}
	}
	return text.String()
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

// rulesAreGood wants what is scraped to be taken, and each rule to be evaluated.
func (p *prometheus) rulesAreGood() {
	p.t.Helper()
	var targets struct {
		ActiveTargets []struct{ Health, LastError string }
	}
	p.get("targets", &targets)
	if len(targets.ActiveTargets) != 1 || targets.ActiveTargets[0].Health != "up" || targets.ActiveTargets[0].LastError != "" {
		p.t.Errorf("%+v", targets)
	}
	rules, err := os.ReadFile(monitoring + "/alerts.yml")
	if err != nil {
		p.t.Fatal(err)
	}
	want, good := strings.Count(string(rules), "- alert: "), 0
	if err := harness.WaitFor("all rules to be evaluated", func() bool {
		var rules struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
		p.get("rules", &rules)
		good = 0
		for _, group := range rules.Groups {
			for _, rule := range group.Rules {
				if rule.LastError != "" {
					p.t.Fatalf("%+v", rule)
				}
				if rule.Health == "ok" {
					good++
				}
			}
		}
		return good == want
	}); err != nil || want == 0 {
		p.t.Errorf("%d of %d rules: %v", good, want, err)
	}
}

// silent wants none of these alerts to go off, nor to be about to, but for a moment: an agent that has no processor for a while is late to
// say that it is there.
func (p *prometheus) silent(names ...string) {
	p.t.Helper()
	var heard []string
	if err := harness.WaitFor("no alert", func() bool {
		var about struct {
			Alerts []struct{ Labels map[string]string }
		}
		p.get("alerts", &about)
		heard = nil
		for _, alert := range about.Alerts {
			if slices.Contains(names, alert.Labels["alertname"]) {
				heard = append(heard, fmt.Sprint(alert.Labels))
			}
		}
		return heard == nil
	}); err != nil {
		p.t.Errorf("all is well, and there are alerts: %q", heard)
	}
}
