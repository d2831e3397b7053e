package fleet_test

import (
	"os"
	"runtime"
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

// TestBalancer has clients that come to any of the machines, whose clocks are apart. One in ten is new, and all others are resumed but
// one in a thousand, whichever machine made the session that they have, or the ticket after it. Without gosess it is one in three.
func TestBalancer(t *testing.T) {
	clocks := []int{-30, 0, 30}
	if runtime.GOARCH != "amd64" {
		clocks = nil // programs/apart.c
	}
	const clients = 100
	for name, balanced := range map[string]struct {
		machines
		begin func(f *machines, version string) (file string)
	}{
		"sessions": {machines{kind: nginx, clocks: clocks}, func(f *machines, version string) string { return f.visit(f.all[0], version, clients) }},
		"tickets": {machines{kind: sharedTickets, clocks: clocks}, func(f *machines, version string) string {
			defer f.wait("secrets in the far store", func() bool { return f.redis.Size() >= 2 })
			return f.save(f.all[0], version, clients)
		}},
		"without": {machines{kind: with("nginx without gosess", func(n *harness.Nginx) { n.SessionCache = "shared:own:4m" }), alone: true},
			func(f *machines, version string) string { return f.save(f.all[0], version, clients) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := balanced.machines
			f.t = t
			f.share(3)
			for _, version := range []string{"1.2", "1.3"} {
				f.balance(version, balanced.begin(&f, version))
			}
		})
	}
}

// balance has the clients of a file come to all machines.
func (f *machines) balance(version, file string) {
	f.t.Helper()
	attempts := count(1000, 1000, 50000)
	arguments := []string{"--tls", version, "--load", file, "--attempts", strconv.Itoa(attempts), "--random", "--new", "10"}
	for _, m := range f.all[1:] {
		arguments = append(arguments, "--port", m.address)
	}
	before := f.late()
	r := f.load(f.all[0], arguments...)
	late, known := f.late()-before, r.Attempts-r.New
	f.t.Logf("TLS %s: %d of %d clients resumed, %d late", version, r.Resumed, known, late)
	switch missing := known - r.Resumed; {
	case r.Errors != 0 || r.Attempts != attempts || r.New < attempts/20:
		f.t.Errorf("%d errors, %d new, %d in all: %s", r.Errors, r.New, r.Attempts, r.Said)
	case f.alone && (r.Resumed < known/4 || r.Resumed > known/2):
		f.t.Error("machines that share nothing do not resume a third")
	case !f.alone && missing > known/1000 && (late == 0 || missing > known/20):
		f.t.Errorf("%d of %d clients were not resumed", missing, known)
		for _, m := range f.all {
			stats, err := harness.ReadStats("shm:" + m.store)
			f.t.Logf("%s: %v (%v), agent %+v", m.address, stats, err, m.agentStats(f.t))
		}
	}
}

// late is how many requests to the agents had no answer in time: a busy machine is no fault. After five in a row nobody asks for a while.
func (f *machines) late() (n int) {
	f.t.Helper()
	for _, m := range f.all {
		if !f.alone {
			n += int(m.count(f.t, window.CountTimeouts))
		}
	}
	return n
}
