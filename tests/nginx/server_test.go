// Package nginx_test runs Debian's unmodified nginx with gosess preloaded.
package nginx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

const anonymous = "shm:?size=64m"

// server is an nginx whose logs are judged when the test ends: no alert, crit or emerg of
// nginx, and as many lines of gosess as the test says.
type server struct {
	*harness.Nginx
	t       *testing.T
	says    int    // lines of gosess
	expects string // what an alert that the test provokes holds
}

// newServer is an nginx that is not yet started, with gosess preloaded and GOSESS_CACHE=cache.
func newServer(t *testing.T, cache string) *server {
	t.Helper()
	harness.NeedBuild(t)
	n, err := harness.NewNginx(system.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	n.System = system
	if n.Env, err = harness.Preload(cache); err != nil {
		t.Fatal(err)
	}
	s := &server{Nginx: n, t: t}
	t.Cleanup(s.end)
	return s
}

// started is a newServer that serves.
func started(t *testing.T, cache string) *server {
	t.Helper()
	s := newServer(t, cache)
	s.do(s.Start)
	return s
}

func (s *server) do(step func() error) {
	s.t.Helper()
	if err := step(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) end() {
	if err := s.Stop(); err != nil {
		s.t.Error(err)
	}
	for _, line := range s.Problems() {
		if s.expects == "" || !strings.Contains(line, s.expects) {
			s.t.Errorf("nginx: %s", line)
		}
	}
	if said := s.Said(); len(said) != s.says {
		s.t.Errorf("gosess wrote %d lines, not %d", len(said), s.says)
	}
	if s.t.Failed() {
		s.t.Logf("log:\n%s", s.Log())
	}
}

// load runs the load client at the first site; every handshake and every answer must succeed.
func (s *server) load(arguments ...string) harness.Result {
	s.t.Helper()
	return harness.Loaded(s.t, s.Port(), arguments...)
}

// few is load arguments for a question that does not need many handshakes.
func few(version string, more ...string) []string {
	return append([]string{"--tls", version, "--sessions", harness.Times(20), "--attempts", harness.Times(100)}, more...)
}

// resumes wants every attempt resumed.
func (s *server) resumes(arguments ...string) harness.Result {
	s.t.Helper()
	r := s.load(arguments...)
	if r.Resumed != r.Attempts && !harness.LostOf(s.t, r, s.Env, s) {
		s.t.Errorf("%v: resumed %d of %d", arguments, r.Resumed, r.Attempts)
	}
	return r
}

// refuses wants full handshakes, all of them.
func (s *server) refuses(arguments ...string) {
	s.t.Helper()
	if r := s.load(arguments...); r.Resumed != 0 {
		s.t.Errorf("%v: resumed %d of %d", arguments, r.Resumed, r.Attempts)
	}
}

// pool makes sessions and returns the arguments to resume each of them twice, later.
func (s *server) pool(version string, more ...string) []string {
	s.t.Helper()
	return s.poolAt(s.Port(), version, more...)
}

func (s *server) poolAt(port int, version string, more ...string) []string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "sessions")
	harness.Loaded(s.t, port, append([]string{"--tls", version, "--sessions", harness.Times(200), "--attempts", "0", "--save", file}, more...)...)
	return append([]string{"--tls", version, "--load", file, "--attempts", harness.Times(400)}, more...)
}

// each runs a test for both versions of TLS.
func each(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run("TLS "+version, func(t *testing.T) { test(t, version) })
	}
}
