// Package haproxy_test runs Debian's unmodified HAProxy with gosess preloaded.
package haproxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

const core = "libgosess-core.so"

// server is an HAProxy whose logs are judged when the test ends: gosess says as much as the test says.
type server struct {
	*harness.HAProxy
	t     *testing.T
	store string // the URL of its store
	says  int    // lines of gosess
	fails bool   // HAProxy is alarmed
}

// newServer is an HAProxy that is not yet started, with a store in its directory.
func newServer(t *testing.T) *server {
	t.Helper()
	harness.NeedBuild(t)
	h, err := harness.NewHAProxy(system.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	h.System = system
	s := &server{HAProxy: h, t: t, store: "shm:" + filepath.Join(h.Dir, "store")}
	if h.Env, err = harness.Preload(s.store + "?size=16m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.end)
	return s
}

func (s *server) end() {
	if err := s.Stop(); err != nil {
		s.t.Error(err)
	}
	if said := s.Said(); len(said) != s.says {
		s.t.Errorf("gosess wrote %d lines, not %d", len(said), s.says)
	}
	if strings.Contains(s.Log(), "[ALERT]") != s.fails {
		s.t.Errorf("HAProxy is alarmed: %v", !s.fails)
	}
	if s.t.Failed() {
		s.t.Logf("log:\n%s", s.Log())
	}
}

// preload compiles a library and preloads it, after gosess where that is preloaded.
func (s *server) preload(source string) {
	s.t.Helper()
	library := filepath.Join(s.Dir, "preloaded.so")
	s.do(func() error { return harness.SharedObject(library, source) })
	s.Env[0] += ":" + library
}

func (s *server) do(step func() error) {
	s.t.Helper()
	if err := step(); err != nil {
		s.t.Fatal(err)
	}
}

// load runs the load client; every handshake and every answer must succeed.
func (s *server) load(arguments ...string) harness.Result {
	s.t.Helper()
	return harness.Loaded(s.t, s.Port, arguments...)
}

// resumes wants every attempt resumed.
func (s *server) resumes(arguments ...string) harness.Result {
	s.t.Helper()
	r := s.load(arguments...)
	if r.Attempts == 0 || r.Resumed != r.Attempts && !harness.LostOf(s.t, r, s.Env, s) {
		s.t.Errorf("%v: resumed %d of %d", arguments, r.Resumed, r.Attempts)
	}
	return r
}

// pool makes sessions and returns the arguments to resume each of them twice, later.
func (s *server) pool(version string) []string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "sessions")
	s.load("--tls", version, "--sessions", harness.Times(200), "--attempts", "0", "--save", file)
	return []string{"--tls", version, "--load", file, "--attempts", harness.Times(400)}
}

// resumesFromStore wants every attempt resumed by a worker that knows none of the sessions: out of
// the store, but for the new sessions that TLS 1.3 makes of resumed ones, which HAProxy's own
// cache answers first.
func (s *server) resumesFromStore(version string, arguments ...string) {
	s.t.Helper()
	before := s.hits()
	r := s.resumes(arguments...)
	want := r.Resumed
	if version == "1.3" {
		want = r.Sessions
	}
	if got := s.hits() - before; got != uint64(want) {
		s.t.Errorf("the client saw %d hits, the store gave out %d of %d sessions", r.Resumed, got, want)
	}
}

// hits is how many sessions the store has given out.
func (s *server) hits() uint64 {
	s.t.Helper()
	got, err := harness.ReadStats(s.store)
	if err != nil {
		s.t.Fatal(err)
	}
	return got[sessioncache.Hits]
}

// each runs a test for both versions of TLS, at the same time: each has a server of its own.
func each(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run("TLS "+version, func(t *testing.T) {
			t.Parallel() // most of the time is spent waiting for servers to start and end
			test(t, version)
		})
	}
}

// HAProxy's own cache ends with its worker; the store gives the sessions to the next one.
func TestResumesAfterReload(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		s.do(s.Start)
		old := s.pool(version)
		s.resumes(old...)
		for range 2 {
			s.do(s.Reload)
			s.resumesFromStore(version, old...)
		}
		s.resumes("--tls", version, "--sessions", harness.Times(20), "--attempts", harness.Times(100))
	})
}

// Handshakes while HAProxy reloads are served and resumed like any other.
func TestResumesWhileReloading(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		s.do(s.Start)
		for range 3 {
			reloaded := make(chan error, 1)
			go func() { reloaded <- s.Reload() }()
			for reloading := true; reloading; {
				select {
				case err := <-reloaded:
					s.do(func() error { return err })
					reloading = false
				default:
				}
				s.resumes("--tls", version, "--sessions", harness.Times(20), "--attempts", harness.Times(100))
			}
		}
	})
}

func TestResumesAfterRestart(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		for name, end := range map[string]func(*server) error{
			"stop":    func(s *server) error { return s.Stop() },
			"kill -9": func(s *server) error { return s.Kill9() },
		} {
			t.Run(name, func(t *testing.T) {
				s := newServer(t)
				s.do(s.Start)
				old := s.pool(version)
				s.do(func() error { return end(s) })
				s.do(s.Start)
				s.resumesFromStore(version, old...)
			})
		}
	})
}

// What gosess is good for: the same without it.
func TestForgetsWithoutGosess(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		s.Env = nil
		s.do(s.Start)
		old := s.pool(version)
		s.resumes(old...)
		s.do(s.Reload)
		if r := s.load(old...); r.Resumed != 0 {
			t.Errorf("resumed %d of %d", r.Resumed, r.Attempts)
		}
	})
}

// A program that does not fork serves too: with -db HAProxy is one process.
func TestServesInTheForeground(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		s.Foreground = true
		s.do(s.Start)
		old := s.pool(version)
		s.resumes(old...)
		s.do(s.Stop)
		s.do(s.Start)
		s.resumesFromStore(version, old...)
	})
}

// The Go half is in the worker, which may start no more threads (S1), and not in the master.
func TestWhereTheCoreIs(t *testing.T) {
	s := newServer(t)
	s.do(s.Start)
	for range 2 {
		s.resumes("--tls", "1.3", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
		if n := s.Master().Threads(); n != 1 || s.Master().Maps(core) {
			t.Errorf("the master has %d threads, the Go half: %v", n, s.Master().Maps(core))
		}
		for _, worker := range s.Workers() {
			if limit := worker.Limit("Max processes"); limit != "0" {
				t.Errorf("a worker may start %s processes and threads: HAProxy sets no limit", limit)
			}
			if !worker.Maps(core) {
				t.Error("the Go half is not in a worker")
			}
		}
		s.do(s.Reload)
	}
}

// The worker forbids new threads soon after it has loaded the Go half. By then the Go runtime must
// have all of its own, also where they are slow to start: it tries to start one for 0.2 s, and ends
// the worker where it cannot.
func TestNoThreadIsLate(t *testing.T) {
	s := newServer(t)
	s.preload("tests/haproxy/testdata/slow_threads.c")
	s.do(s.Start)
	for range 6 {
		s.do(s.Reload)
		worker := s.Workers()[0]
		threads := worker.Threads()
		s.resumes("--tls", "1.2", "--sessions", harness.Times(100), "--attempts", harness.Times(500))
		s.resumes("--tls", "1.3", "--sessions", harness.Times(100), "--attempts", harness.Times(500))
		if !worker.Maps(core) || worker.Threads() != threads {
			t.Errorf("there are %d threads, and were %d", worker.Threads(), threads)
		}
	}
}
