package harness

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"
)

// Row is one set-up of a server: a row of the matrix.
type Row struct {
	Tickets string // the server's own: "off", "on" (kept), or on with GOSESS_TICKETS: "stateful", "shared" (with a path: the page's)
	Workers int
	Path    bool // the store is a file
}

// Step is what happens to a server between two looks at it.
type Step string

// First is the start: there are no sessions before it. A restart is an orderly stop, and a start.
const (
	First      Step = "first"
	Reload     Step = "reload"
	KillWorker Step = "kill -9"
	Restart    Step = "restart"
)

// Subject is a server that is put through the matrix.
type Subject struct {
	Server
	Port      int
	Env       []string        // that it has of gosess
	Root      string          // what its workers take for the root of all files, where they do
	Arguments []string        // of the load client, beyond those of the row
	Replace   func() error    // kills a worker, and waits until the server serves as before
	Problems  func() []string // the lines of its log that should not be there
}

// Client is how a client of the matrix comes.
type Client struct {
	Name      string
	Version   string
	Arguments []string
}

// Clients are the ones that every row is asked by.
var Clients = []Client{
	{"TLS 1.2", "1.2", nil},
	{"TLS 1.2 without tickets", "1.2", []string{"--no-ticket"}},
	{"TLS 1.3", "1.3", nil},
}

// Stateless says whether that client's sessions are tickets that no cache is asked about.
func (r Row) Stateless(c Client) bool { return r.Tickets == "on" && len(c.Arguments) == 0 }

// Any is a percentage that is not promised.
const Any = -1

// Kept is the percentage of sessions that should outlive a step. What is in the store does, where
// the store does. What is in a ticket needs the key that the tickets' context has made, and
// that ends with the configuration.
func Kept(r Row, c Client, step Step) int {
	switch {
	case step == KillWorker:
		return 100
	case r.Stateless(c):
		return 0
	case step == Restart && !r.Path:
		return 0
	}
	return 100
}

// Matrix puts a server through its rows: for each client sessions that were made before a step, and
// sessions that are made after it. Those are all resumed, of the others as many as Kept says.
type Matrix struct {
	Page    string                                                                  // the server's, which says what the environment of a server with a path is
	New     func(t *testing.T, dir string, row Row, env []string) (*Subject, error) // a server that is not yet started
	Tickets []string
	Workers []int
	Paths   []bool
	Steps   []Step
	Clients []Client                             // all of Clients where nil
	Kept    func(r Row, c Client, step Step) int // the function Kept where nil
	Made    func(r Row, c Client, step Step) int // of the sessions that are made after the step; 100 where nil
	Few     bool                                 // sessions at each step, because a connection costs the server a process
	System  System                               // whose server it is
	Watched bool                                 // the C half is one that the address and undefined-behaviour sanitizers watch

	watched *watched
}

// Together runs the tests of a package, those that are parallel six at once: they wait for servers
// and programs to start and end more than they compute.
func Together(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	return m.Run()
}

// Run runs every row as a test of its own, or a few of them: see All.
func (m Matrix) Run(t *testing.T) {
	NeedBuild(t)
	if m.Clients == nil {
		m.Clients = Clients
	}
	if m.Kept == nil {
		m.Kept = Kept
	}
	if m.Watched {
		m.watched = newWatched(t)
	}
	for i, tickets := range m.Tickets {
		for j, workers := range m.Workers {
			for k, path := range m.Paths {
				// Few rows: one for each kind of tickets, of which the others each take the next.
				if !All() && (j != i%len(m.Workers) || k != i/len(m.Workers)%len(m.Paths)) {
					continue
				}
				row := Row{tickets, workers, path}
				t.Run(fmt.Sprintf("tickets %s %d workers path %v", tickets, workers, path), func(t *testing.T) {
					t.Parallel() // most of the time is spent waiting for servers to start and end
					m.row(t, row)
				})
			}
		}
	}
}

// environment is what gosess is told. What a page leads with holds for its own row, "shared", and for a server without tickets.
func (r Row) environment(page, dir string) ([]string, error) {
	env, err := Preload("shm:?size=4m")
	if r.Path {
		env, err = PageEnvironment(page, dir)
	}
	switch {
	case r.Tickets == "on":
		env = WithTickets(env, "keep")
	case r.Tickets == "stateful" || r.Tickets == "shared" && !r.Path:
		env = WithTickets(env, r.Tickets)
	}
	return env, err
}

func (m Matrix) row(t *testing.T, row Row) {
	dir := m.System.TempDir(t)
	env, err := row.environment(m.Page, dir)
	if err == nil && m.Watched {
		env, err = m.watched.environment(env, dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.New(t, dir, row, env)
	if err != nil {
		t.Fatal(err)
	}
	if m.Watched {
		m.watched.prepare(t, dir, s)
		t.Cleanup(func() { m.watched.judge(t, dir, s) })
	}
	t.Cleanup(func() { s.end(t) })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for _, step := range m.Steps {
		m.step(t, s, row, step)
		if m.Watched {
			m.watched.check(t, s)
		}
		if t.Failed() {
			return
		}
	}
}

// end stops the server and judges what it and gosess have said.
func (s *Subject) end(t *testing.T) {
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	for _, line := range s.Problems() {
		t.Errorf("log: %s", line)
	}
	if t.Failed() {
		t.Logf("log:\n%s", s.Log())
	}
}

// step makes sessions, takes the step, and looks what has become of them.
func (m Matrix) step(t *testing.T, s *Subject, row Row, step Step) {
	t.Helper()
	sessions, attempts := "10", "30"
	switch {
	case m.Few && !All():
		sessions, attempts = "4", "4" // one for each thread of the client
	case m.Few:
		sessions, attempts = "4", "8"
	case !All():
		sessions, attempts = "4", "12"
	}
	dir := t.TempDir()
	old := func(i int) string { return filepath.Join(dir, fmt.Sprint(i)) }
	for i, c := range m.Clients {
		if step != First {
			s.load(t, c, "--sessions", sessions, "--attempts", "0", "--save", old(i))
		}
	}
	if err := s.take(step); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	for i, c := range m.Clients {
		check := func(what string, want int, r Result) {
			if want == 100 && LostOf(t, r, s.Env, s) {
				return
			}
			if want != Any && (r.Attempts == 0 || 100*r.Resumed != want*r.Attempts) {
				t.Errorf("%s, %s: resumed %d of %d sessions that were made %s it, not %d %%",
					c.Name, step, r.Resumed, r.Attempts, what, want)
			}
		}
		if step != First {
			check("before", m.Kept(row, c, step), s.load(t, c, "--load", old(i), "--attempts", attempts))
		}
		made := 100
		if m.Made != nil {
			made = m.Made(row, c, step)
		}
		check("after", made, s.load(t, c, "--sessions", sessions, "--attempts", attempts))
	}
}

func (s *Subject) take(step Step) error {
	switch step {
	case Reload:
		return s.Reload()
	case KillWorker:
		return s.Replace()
	case Restart:
		return StopAndStart(s)
	}
	return nil
}

// load runs the load client; every handshake and every answer must succeed.
func (s *Subject) load(t *testing.T, c Client, arguments ...string) Result {
	t.Helper()
	arguments = append(arguments, "--tls", c.Version)
	return Loaded(t, s.Port, append(append(arguments, c.Arguments...), s.Arguments...)...)
}
