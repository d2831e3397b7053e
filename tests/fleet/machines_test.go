package fleet_test

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"gosess/sessioncache/window"
	"gosess/tests/fleet"
	"gosess/tests/fleet/network"
	"gosess/tests/harness"
)

var workshop harness.Workshop

func TestMain(m *testing.M) { os.Exit(network.Main(m, workshop.Main)) }

// count is how often something is done that can be done any number of times: the last one by make fleet.
func count(few, all, fleet int) int {
	switch {
	case os.Getenv("GOSESS_TEST_FLEET") != "":
		return fleet
	case harness.All():
		return all
	}
	return few
}

// machines are those of one fleet, of one kind, and what they share.
type machines struct {
	t     *testing.T
	kind  kind
	redis *fleet.Redis
	far   string // the far URL
	keys  string
	all   []*machine

	clocks  []int                   // how many seconds the clock of a machine is ahead; empty: none is
	through func(*machine) []string // the command that becomes an agent; nil: the machine's
	alone   bool                    // there is neither gosess nor an agent
}

// A machine has a server, a store and an agent.
type machine struct {
	host    *network.Host
	through []string // the command that becomes a program of it
	server  harness.Server
	address string
	store   string
	agent   *fleet.Agent
}

// newMachines starts machines, and a redis-server behind a wire.
func newMachines(t *testing.T, k kind, count int) *machines {
	t.Helper()
	f := &machines{t: t, kind: k}
	f.share(count)
	return f
}

// share starts machines, and a redis-server behind a wire.
func (f *machines) share(count int) {
	f.t.Helper()
	f.redis = startRedis(f.t, network.NewDistant(f.t))
	f.far = f.redis.URL()
	f.start(count)
}

func startRedis(t *testing.T, host *network.Host, arguments ...string) *fleet.Redis {
	t.Helper()
	redis := &fleet.Redis{Host: host, Dir: t.TempDir(), Arguments: arguments}
	t.Cleanup(redis.Kill)
	if err := redis.Run(); err != nil {
		t.Fatal(err)
	}
	return redis
}

// start starts so many machines.
func (f *machines) start(count int) {
	f.t.Helper()
	harness.NeedBuild(f.t)
	var err error
	if f.keys, err = fleet.NewKeys(f.t.TempDir()); err != nil {
		f.t.Fatal(err)
	}
	for range count {
		f.add()
	}
}

// add starts a machine.
func (f *machines) add() {
	f.t.Helper()
	m := f.begin()
	if !f.alone {
		f.serve(m)
	}
}

// begin starts the server of a machine, which has no agent yet.
func (f *machines) begin() *machine {
	f.t.Helper()
	m := &machine{host: network.New(f.t), store: filepath.Join(f.t.TempDir(), "store")}
	m.through = m.host.Through()
	if len(f.clocks) > 0 {
		m.through = append(m.through, apart(f.t), strconv.Itoa(f.clocks[len(f.all)]))
	}
	p := place{dir: harness.TempDir(f.t), address: m.host.Address(), through: m.through}
	var err error
	if !f.alone {
		if p.env, err = fleet.Environment(m.store, f.keys); err != nil {
			f.t.Fatal(err)
		}
	}
	if len(f.all) > 0 {
		p.first = f.all[0].server
	}
	if m.server, err = f.kind.make(p); err != nil {
		f.t.Fatal(err)
	}
	m.address = net.JoinHostPort(m.host.Address(), strconv.Itoa(f.kind.port(m.server)))
	f.t.Cleanup(func() { m.server.Stop() })
	if err := m.server.Start(); err != nil {
		f.t.Fatalf("%v: %s", err, m.server.Log())
	}
	f.all = append(f.all, m)
	return m
}

// apart is the program that has another one have a clock of its own.
func apart(t *testing.T) string {
	t.Helper()
	return workshop.Compile(t, "apart", "cc", "-Wall", "-Wextra", "-Werror", "tests/fleet/programs/apart.c")
}

// serve starts the agent of a machine.
func (f *machines) serve(m *machine) {
	f.t.Helper()
	through := m.through
	if f.through != nil {
		through = f.through(m)
	}
	agent, err := fleet.StartAgent(through, m.store, f.far)
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
	file = f.save(m, version, sessions)
	if !f.alone {
		f.told(m)
	}
	return file
}

// told returns when the far store has been told all that servers of a machine have stored and removed by now.
func (f *machines) told(m *machine) {
	f.t.Helper()
	at := func(place int) (number uint64) {
		m.see(f.t, func(_ *window.Window, bytes []byte) { number = binary.NativeEndian.Uint64(bytes[place:]) })
		return number
	}
	tail := at(window.TailAt)
	f.wait("the far store to be told", func() bool { return at(window.HeadAt) >= tail })
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
	r, err := harness.LoadAt(m.address, append([]string{"--threads", "4"}, arguments...)...)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// offer offers all sessions of a file to a machine.
func (f *machines) offer(m *machine, version, file string, sessions int) harness.Result {
	f.t.Helper()
	return f.load(m, "--tls", version, "--load", file, "--attempts", strconv.Itoa(sessions))
}

// resumes wants all sessions of a file resumed at a machine: of these that it did not have in time, as a busy machine may, it wants
// that when they come again.
func (f *machines) resumes(m *machine, version, file string, sessions int) {
	f.t.Helper()
	before := m.count(f.t, window.CountTimeouts)
	r := f.offer(m, version, file, sessions)
	missing, late := r.Attempts-r.Resumed, m.count(f.t, window.CountTimeouts)-before
	if missing > 0 && late == 0 || r.Attempts != sessions || r.Errors != 0 {
		f.t.Errorf("TLS %s: %d of %d resumed, %d late, %d errors: %s; the server said %s", version, r.Resumed, r.Attempts, late, r.Errors, r.Said,
			m.server.Log())
	}
	if missing > 0 {
		f.wait("what was late", func() bool { return f.wereAll(f.offer(m, version, file, sessions)) })
	}
}

// wereAll says whether all were resumed, and wants no handshake to fail.
func (f *machines) wereAll(r harness.Result) bool {
	f.t.Helper()
	if r.Errors != 0 {
		f.t.Errorf("%d errors: %s", r.Errors, r.Said)
	}
	return r.Resumed == r.Attempts
}

// see looks at the window between the servers of a machine and its agent.
func (m *machine) see(t *testing.T, look func(w *window.Window, bytes []byte)) {
	t.Helper()
	file, err := os.Open(m.store)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(mapping)
	bytes := mapping[len(mapping)-window.Size:]
	look(window.Open(bytes), bytes)
}

// count is one of the numbers of the window.
func (m *machine) count(t *testing.T, c window.Counter) (n uint64) {
	t.Helper()
	m.see(t, func(w *window.Window, _ []byte) { n = w.Counter(c) })
	return n
}

// asks says whether the servers of a machine ask its agent.
func (m *machine) asks(t *testing.T) (open bool) {
	t.Helper()
	m.see(t, func(w *window.Window, _ []byte) { open = w.MayWait() })
	return open
}
