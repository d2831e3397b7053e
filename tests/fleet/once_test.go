package fleet_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"gosess/tests/harness"
)

// once has each session of TLS 1.3 be used once.
func once(n *harness.Nginx) {
	for i, v := range n.Env {
		if strings.HasPrefix(v, "GOSESS_CACHE=") {
			n.Env[i] += "&single-use=tls13"
		}
	}
}

// takesEarlyData has the server accept early data. It takes care of replays itself, it says to libssl, and does not.
func takesEarlyData(n *harness.Nginx) { n.Sites[0].Directives = "ssl_early_data on;" }

// offered is what comes of offering each session of a file to several machines at the same moment.
func (f *machines) offered(file string, sessions int, to []*machine) (each []harness.Result) {
	f.t.Helper()
	each = make([]harness.Result, len(to))
	var offering sync.WaitGroup
	for i, m := range to {
		offering.Go(func() {
			each[i] = f.load(m, "--tls", "1.3", "--load", file, "--attempts", strconv.Itoa(sessions), "--sessions", strconv.Itoa(sessions), "--early")
			if r := each[i]; r.Errors != 0 || r.Attempts != sessions {
				f.t.Errorf("%d of %d, %d errors: %s", r.Attempts, sessions, r.Errors, r.Said)
			}
		})
	}
	offering.Wait()
	return each
}

// TestSingleUse offers each session to two machines at the same moment, with early data: one of them resumes it at the most,
// and almost always one does. Then there is nothing any more.
func TestSingleUse(t *testing.T) {
	t.Parallel()
	sessions := count(500, 500, 10000)
	f := newMachines(t, with("nginx with sessions for one use", func(n *harness.Nginx) { once(n); takesEarlyData(n) }), 3)
	f.wait("sessions of which nearly all are used", func() bool { // where the machine is too busy the agents are late, and soon nobody asks them
		file := f.visit(f.all[0], "1.3", sessions)
		each := f.offered(file, sessions, f.all[1:])
		resumed, early := each[0].Resumed+each[1].Resumed, each[0].Early+each[1].Early
		atOnce := min(resumed, early)
		for _, r := range f.offered(file, sessions, f.all) {
			resumed += r.Resumed
			early += r.Early
		}
		if resumed > sessions || early > sessions {
			t.Fatalf("%d sessions were resumed %d times, and their early data was accepted %d times", sessions, resumed, early)
		}
		t.Logf("%d sessions: resumed %d times, early data accepted %d times, %d late", sessions, resumed, early, f.late())
		return atOnce >= sessions*9/10
	})
}

// TestEarlyDataOfTickets replays early data that came with tickets at other machines, which have the secret that such tickets are not
// sealed under.
func TestEarlyDataOfTickets(t *testing.T) {
	t.Parallel()
	const sessions = 50
	f := newMachines(t, with("nginx with shared tickets and early data", func(n *harness.Nginx) {
		n.Env, n.Tickets = append(n.Env, "GOSESS_TICKETS=shared"), true
		takesEarlyData(n)
	}), 2)
	file := f.save(f.all[0], "1.3", sessions)
	if r := f.offered(file, sessions, f.all[:1])[0]; r.Early == 0 {
		t.Error("the machine that has made them takes no early data")
	}
	if r := f.offered(file, sessions, f.all[1:])[0]; r.Early != 0 || r.Resumed != 0 {
		t.Errorf("another machine took early data %d times", r.Early)
	}
}
