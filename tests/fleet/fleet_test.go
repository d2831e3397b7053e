package fleet_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"gosess/sessioncache/window"
	"gosess/tests/fleet"
	"gosess/tests/harness"
)

// A kind of server. New makes one in a directory, with the certificate of the first one of the fleet where there is one.
type kind struct {
	name string
	make func(dir string, env []string, first harness.Server) (harness.Server, error)
	port func(harness.Server) int
}

var kinds = []kind{
	{"nginx", func(dir string, env []string, first harness.Server) (harness.Server, error) {
		n, err := harness.NewNginx(dir)
		if err == nil && first != nil {
			n.Sites[0].Cert = first.(*harness.Nginx).Sites[0].Cert
		}
		n.Env = env
		return n, err
	}, func(s harness.Server) int { return s.(*harness.Nginx).Port() }},
	{"haproxy", func(dir string, env []string, first harness.Server) (harness.Server, error) {
		h, err := harness.NewHAProxy(dir)
		if err == nil && first != nil {
			var pem []byte
			if pem, err = os.ReadFile(first.(*harness.HAProxy).CertAndKey()); err == nil {
				err = os.WriteFile(h.CertAndKey(), pem, 0o600)
			}
		}
		h.Env = env
		return h, err
	}, func(s harness.Server) int { return s.(*harness.HAProxy).Port }},
	{"httpd", func(dir string, env []string, first harness.Server) (harness.Server, error) {
		h, err := harness.NewHTTPD(dir)
		if err == nil && first != nil {
			h.Sites[0].Cert = first.(*harness.HTTPD).Sites[0].Cert
		}
		h.Env = append(env, "GOSESS_TICKETS=stateful")
		h.SSL = "SSLSessionCache nonenotnull"
		return h, err
	}, func(s harness.Server) int { return s.(*harness.HTTPD).Port() }},
}

// machines are those of one fleet, of one kind, and what they share.
type machines struct {
	t     *testing.T
	kind  kind
	redis *fleet.Redis
	keys  string
	all   []*machine
}

// A machine has a server, a store and an agent.
type machine struct {
	server harness.Server
	port   int
	store  string
	agent  *fleet.Agent
}

func newMachines(t *testing.T, k kind, count int) *machines {
	t.Helper()
	harness.NeedBuild(t)
	f := &machines{t: t, kind: k}
	var err error
	if f.redis, err = fleet.StartRedis(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.redis.Kill)
	if f.keys, err = fleet.NewKeys(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for range count {
		f.add()
	}
	return f
}

// add starts a machine.
func (f *machines) add() {
	f.t.Helper()
	m := &machine{store: filepath.Join(f.t.TempDir(), "store")}
	env, err := fleet.Environment(m.store, f.keys)
	if err != nil {
		f.t.Fatal(err)
	}
	var first harness.Server
	if len(f.all) > 0 {
		first = f.all[0].server
	}
	if m.server, err = f.kind.make(harness.TempDir(f.t), env, first); err != nil {
		f.t.Fatal(err)
	}
	m.port = f.kind.port(m.server)
	f.t.Cleanup(func() { m.server.Stop() })
	if err := m.server.Start(); err != nil {
		f.t.Fatalf("%v: %s", err, m.server.Log())
	}
	f.serve(m)
	f.all = append(f.all, m)
}

// serve starts the agent of a machine.
func (f *machines) serve(m *machine) {
	f.t.Helper()
	agent, err := fleet.StartAgent(m.store, f.redis)
	if err != nil {
		f.t.Fatal(err)
	}
	m.agent = agent
	f.t.Cleanup(func() {
		agent.Kill()
		if f.t.Failed() {
			f.t.Logf("an agent said: %s", agent.Log())
		}
	})
}

func (f *machines) wait(what string, done func() bool) {
	f.t.Helper()
	if err := harness.WaitFor(what, done); err != nil {
		f.t.Fatal(err)
	}
}

// visit makes sessions at a machine, which the far store has afterwards; the file of them.
func (f *machines) visit(m *machine, version string, sessions int) (file string) {
	f.t.Helper()
	had := f.redis.Size()
	file = f.save(m, version, sessions)
	stored := sessions
	if version == "1.3" {
		stored *= 2 // each connection has two tickets
	}
	f.wait("the sessions in the far store", func() bool { return f.redis.Size() >= had+stored })
	return file
}

// save makes sessions at a machine; the file of them.
func (f *machines) save(m *machine, version string, sessions int) (file string) {
	f.t.Helper()
	file = filepath.Join(f.t.TempDir(), "sessions")
	r := f.load(m, "--tls", version, "--sessions", strconv.Itoa(sessions), "--attempts", "0", "--save", file)
	if r.Full != sessions || r.Errors != 0 {
		f.t.Errorf("%d of %d full handshakes, %d errors: %s", r.Full, sessions, r.Errors, r.Said)
	}
	return file
}

func (f *machines) load(m *machine, arguments ...string) harness.Result {
	f.t.Helper()
	r, err := harness.Load(m.port, append([]string{"--threads", "4"}, arguments...)...)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// resumes wants all sessions of a file resumed at a machine, but for those that it did not have in time: a busy machine is no fault.
func (f *machines) resumes(m *machine, version, file string, sessions int) {
	f.t.Helper()
	before := f.late(m)
	r := f.load(m, "--tls", version, "--load", file, "--attempts", strconv.Itoa(sessions))
	missing, late := r.Attempts-r.Resumed, int(f.late(m)-before)
	if missing > min(late, 1+sessions/20) || r.Attempts != sessions || r.Errors != 0 {
		f.t.Errorf("TLS %s: %d of %d resumed, %d late, %d errors: %s; the server said %s", version, r.Resumed, r.Attempts, late, r.Errors, r.Said,
			m.server.Log())
	}
}

// late is how many requests to the agent had no answer in time.
func (f *machines) late(m *machine) uint64 {
	f.t.Helper()
	file, err := os.Open(m.store)
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		f.t.Fatal(err)
	}
	mapping, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		f.t.Fatal(err)
	}
	defer syscall.Munmap(mapping)
	return window.Open(mapping[len(mapping)-window.Size:]).Counter(window.CountTimeouts)
}

// TestSessionsOfAnotherMachine is the first row of what a fleet must show: a session of one machine is resumed at each other one. Then
// one begins anew with nothing, and the one that has made them is gone for good.
func TestSessionsOfAnotherMachine(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			const sessions = 100
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
			for version, file := range files {
				f.resumes(c, version, file, sessions)
			}
		})
	}
}

// TestBalancer has clients that come to the machines by turns, whichever made the session that they have, or the ticket after it.
func TestBalancer(t *testing.T) {
	t.Parallel()
	const sessions, attempts = 100, 1000
	f := newMachines(t, kinds[0], 3)
	for _, version := range []string{"1.2", "1.3"} {
		arguments := []string{"--tls", version, "--load", f.visit(f.all[0], version, sessions), "--attempts", strconv.Itoa(attempts)}
		for _, m := range f.all[1:] {
			arguments = append(arguments, "--port", strconv.Itoa(m.port))
		}
		r := f.load(f.all[0], arguments...)
		late := 0
		for _, m := range f.all {
			late += int(f.late(m))
		}
		// A ticket that is offered before its machine has told of it is a full handshake: one in a thousand.
		if missing := r.Attempts - r.Resumed; missing > attempts/1000+min(late, attempts/50) || r.Errors != 0 {
			t.Errorf("TLS %s: %d of %d resumed, %d late, %d errors: %s", version, r.Resumed, r.Attempts, late, r.Errors, r.Said)
		}
	}
}

// TestSingleUse offers each session to two machines at the same moment: one of them resumes it at the most, and almost always one does.
func TestSingleUse(t *testing.T) {
	t.Parallel()
	const sessions = 500
	f := newMachines(t, kind{"nginx with sessions for one use", func(dir string, env []string, first harness.Server) (harness.Server, error) {
		for i, v := range env {
			if strings.HasPrefix(v, "GOSESS_CACHE=") {
				env[i] += "&single-use=tls13"
			}
		}
		return kinds[0].make(dir, env, first)
	}, kinds[0].port}, 3)
	file := f.visit(f.all[0], "1.3", sessions)
	var offered sync.WaitGroup
	var resumed atomic.Int64
	for _, m := range f.all[1:] {
		offered.Go(func() {
			r := f.load(m, "--tls", "1.3", "--load", file, "--attempts", strconv.Itoa(sessions))
			resumed.Add(int64(r.Resumed))
			if r.Errors != 0 {
				t.Errorf("%d errors: %s", r.Errors, r.Said)
			}
		})
	}
	offered.Wait()
	if n := resumed.Load(); n > sessions || n < sessions*9/10 { // a busy machine may be late
		t.Errorf("%d sessions were resumed %d times", sessions, n)
	}
	left := sessions - int(resumed.Load())
	for _, m := range f.all { // and then there is nothing any more
		r := f.load(m, "--tls", "1.3", "--load", file, "--attempts", strconv.Itoa(sessions))
		if left -= r.Resumed; left < 0 {
			t.Errorf("%d were resumed once more than there were", -left)
		}
	}
}
