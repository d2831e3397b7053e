package fleet_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// A query is what a panel of the dashboard asks Prometheus for.
type query struct{ panel, expression string }

// nothingThere are the expressions that are 0 where all is well.
var nothingThere = []string{"gosess_agent_queue"}

// TestMonitoring has Prometheus look at machines as docs/monitoring says: it takes what gosess serve says of real stores with traffic,
// each panel of the dashboard has something to show, and each alert rule can be evaluated.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	f := newMachines(t, with("nginx with four sites", sites), 2)
	a, b := f.all[0], f.all[1]
	p := startPrometheus(t, serving(t, "shm:"+a.store, "shm:"+b.store, "shm:/no/such/store"))
	var clients []harness.Certificate // that make others make way, and that are too large for the store
	for _, names := range []int{80, 300} {
		client, err := a.server.(*harness.Nginx).Authority.IssueLarge(fmt.Sprintf("client-%d", names), names)
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, client)
	}
	wanted := dashboard(t)
	answers := map[query]string{}
	err := harness.WaitFor("each panel to show something", func() bool {
		if r := f.come(a, b, clients); r != 0 {
			t.Fatalf("%d connections failed", r)
		}
		clear(answers)
		for _, q := range wanted {
			if values := p.query(strings.NewReplacer("$store", ".*", "$__rate_interval", "1m").Replace(q.expression)); !shows(q, values) {
				answers[q] = fmt.Sprint(values)
			}
		}
		return len(answers) == 0
	})
	if err != nil {
		t.Error(err)
	}
	for q, values := range answers {
		t.Errorf("%s: %s: %s", q.panel, q.expression, values)
	}
	var stores []string
	if p.get("label/store/values?match[]=gosess_up", &stores); len(stores) != 3 {
		t.Errorf("the dashboard's list of stores is %q", stores)
	}
	p.rulesAreGood()
	p.silent("GosessUnused", "GosessAgentDown", "GosessVersionsDiffer")
	if agents := p.query(`count(gosess_worker_up{libssl="",version!=""} == 1)`); len(agents) != 1 || agents[0] != 2 {
		t.Errorf("agents are told as %v", agents)
	}
	if err := b.server.Stop(); err != nil {
		t.Fatal(err)
	}
	f.wait("the store of a server that has ended to be without one, whatever its agent does", func() bool {
		return len(p.query(fmt.Sprintf("gosess_workers{store=%q} == 0 and on(store) gosess_agent_up == 1", "shm:"+b.store))) == 1
	})
}

// sites are one whose sessions are in the store, two with tickets and certificates of their own, and one that asks clients for certificates.
func sites(n *harness.Nginx) {
	n.Env, n.Tickets = append(n.Env, "GOSESS_TICKETS=shared"), true
	n.Sites[0].Directives = "ssl_session_tickets off;"
	for _, site := range []struct{ name, directives string }{
		{"second.test", ""}, {"third.test", ""}, {"fourth.test", "ssl_session_tickets off; ssl_session_cache builtin; ssl_verify_client optional_no_ca;"},
	} {
		added, err := n.AddSite(site.name)
		if err != nil {
			panic(err)
		}
		added.Directives = site.directives
	}
}

// come has clients of every kind come to two machines, and says how many connections failed.
func (f *machines) come(a, b *machine, clients []harness.Certificate) (failed int) {
	f.t.Helper()
	const sessions = 40
	at := func(m *machine, site int) *machine {
		port := m.server.(*harness.Nginx).Sites[site].Port
		return &machine{host: m.host, server: m.server, address: fmt.Sprintf("%s:%d", m.host.Address(), port), store: m.store}
	}
	load := func(m *machine, arguments ...string) {
		r := f.load(m, append([]string{"--tls", "1.2"}, arguments...)...)
		failed += r.Errors
	}
	file := f.visit(a, "1.2", sessions)
	load(b, "--load", file, "--attempts", "40") // which b's agent has to fetch
	tickets := f.save(at(a, 1), "1.2", sessions)
	load(at(a, 1), "--load", tickets, "--attempts", "40")
	load(at(a, 2), "--load", tickets, "--attempts", "40") // where another certificate is shown
	for _, client := range clients {
		left := filepath.Join(f.t.TempDir(), "sessions")
		load(at(a, 3), "--cert", client.Cert, "--key", client.Key, "--sessions", "200", "--attempts", "0", "--save", left)
		load(at(a, 3), "--cert", client.Cert, "--key", client.Key, "--load", left, "--attempts", "40") // some have made way
	}
	return failed
}

// serving starts gosess serve of some stores; the address at which it answers.
func serving(t *testing.T, urls ...string) (address string) {
	t.Helper()
	cmd := exec.Command(built(t, "gosess"), append([]string{"serve", "--json", "--listen", "127.0.0.1:0"}, urls...)...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	var said struct{ Metrics string }
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(said.Metrics, "http://"), "/metrics")
}

// dashboard is all that it asks Prometheus for.
func dashboard(t *testing.T) (all []query) {
	t.Helper()
	text, err := os.ReadFile(monitoring + "/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, panel := range board.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("%s asks for nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			all = append(all, query{panel.Title, target.Expr})
		}
	}
	if len(all) < 10 {
		t.Errorf("the dashboard asks for %q", all)
	}
	return all
}

// shows says whether there is something to be drawn, other than a line at the bottom.
func shows(q query, values []float64) bool {
	for _, v := range values {
		if v != 0 && !math.IsNaN(v) && !math.IsInf(v, 0) {
			return true
		}
	}
	for _, expression := range nothingThere {
		if strings.Contains(q.expression, expression) {
			return len(values) > 0
		}
	}
	return false
}
