package fleet_test

import (
	"os"
	"strconv"
	"testing"

	"gosess/sessioncache/window"
	"gosess/tests/harness"
)

// TestSessionsOfAnotherMachine is the first row of what a fleet must show: a session of one machine is resumed at each other one. Then
// one of them begins anew with nothing, and the one that has made the sessions is gone for good.
func TestSessionsOfAnotherMachine(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			sessions := count(100, 100, 1000)
			f := newMachines(t, k, 3)
			a, b, c := f.all[0], f.all[1], f.all[2]
			files := map[string]string{}
			for _, version := range []string{"1.2", "1.3"} {
				files[version] = f.visit(a, version, sessions)
				f.resumes(b, version, files[version], sessions)
			}
			a.agent.Kill()
			if err := a.server.Kill9(); err != nil {
				t.Error(err)
			}
			f.empty(b)
			for version, file := range files {
				f.resumes(b, version, file, sessions)
				f.resumes(c, version, file, sessions)
			}
		})
	}
}

// empty has a machine start again with nothing.
func (f *machines) empty(m *machine) {
	f.t.Helper()
	m.agent.Kill()
	if err := m.server.Stop(); err != nil {
		f.t.Error(err)
	}
	if err := os.Remove(m.store); err != nil {
		f.t.Error(err)
	}
	if err := m.server.Start(); err != nil {
		f.t.Fatalf("%v: %s", err, m.server.Log())
	}
	f.serve(m)
}

// TestBalancer has clients that come to any of the machines, whichever made the session that they have, or the ticket after it.
// One in ten is new.
func TestBalancer(t *testing.T) {
	t.Parallel()
	f := newMachines(t, kinds[0], 3)
	for _, version := range []string{"1.2", "1.3"} {
		f.balance(version, f.visit(f.all[0], version, 100))
	}
}

// balance has the clients of a file of sessions come to the machines at random: all but one in a thousand are resumed.
func (f *machines) balance(version, file string) {
	f.t.Helper()
	attempts := count(1000, 1000, 20000)
	arguments := []string{"--tls", version, "--load", file, "--attempts", strconv.Itoa(attempts), "--random", "--new", "10"}
	for _, m := range f.all[1:] {
		arguments = append(arguments, "--port", m.address)
	}
	r := f.load(f.all[0], arguments...)
	late := 0
	for _, m := range f.all {
		late += int(m.count(f.t, window.CountTimeouts))
	}
	// A ticket that is offered before its machine has told of it is a full handshake: one in a thousand.
	missing := r.Attempts - r.New - r.Resumed
	if missing > attempts/1000+min(late, attempts/50) || r.Errors != 0 || r.New < attempts/20 {
		f.t.Errorf("TLS %s: %d of %d resumed, %d new, %d late, %d errors: %s", version, r.Resumed, r.Attempts, r.New, late, r.Errors, r.Said)
	}
	f.t.Logf("TLS %s: %d of %d resumed, %d late", version, r.Resumed, r.Attempts-r.New, late)
}

// TestTicketSecrets: a ticket of one machine opens at the others, which have its secret of the far store.
func TestTicketSecrets(t *testing.T) {
	t.Parallel()
	f := newMachines(t, with("nginx with shared tickets", func(n *harness.Nginx) {
		n.Env, n.Tickets = append(n.Env, "GOSESS_TICKETS=shared"), true
	}), 1)
	files := map[string]string{}
	for _, version := range []string{"1.2", "1.3"} {
		files[version] = f.save(f.all[0], version, 50)
	}
	f.wait("secrets in the far store", func() bool { return f.redis.Size() >= 2 })
	f.add()
	f.add()
	for _, m := range f.all[1:] {
		for version, file := range files {
			f.resumes(m, version, file, 50)
		}
	}
}
