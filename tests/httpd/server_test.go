package httpd_test

import (
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// server is an httpd with a store in its directory, whose logs are judged when the test ends.
type server struct {
	*harness.HTTPD
	t     *testing.T
	store string // the URL of its store
	says  string // what a line in its log may hold that should not be there otherwise
}

// newServer is an httpd that is not yet started, with gosess as its only cache, and no tickets.
func newServer(t *testing.T) *server {
	t.Helper()
	harness.NeedBuild(t)
	h, err := harness.NewHTTPD(harness.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	h.SSL = "SSLSessionCache nonenotnull\nSSLSessionTickets off"
	s := &server{HTTPD: h, t: t, store: "shm:" + filepath.Join(h.Dir, "store")}
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
	for _, line := range s.Problems() {
		if s.says == "" || !strings.Contains(line, s.says) {
			s.t.Errorf("log: %s", line)
		}
	}
	if s.t.Failed() {
		s.t.Logf("log:\n%s", s.Log())
	}
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
	return harness.Loaded(s.t, s.Port(), arguments...)
}

// pool makes sessions and returns the arguments to resume them with later.
func (s *server) pool(version string, more ...string) []string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "sessions")
	s.load(append([]string{"--tls", version, "--sessions", harness.Times(20), "--attempts", "0", "--save", file}, more...)...)
	return append([]string{"--tls", version, "--load", file, "--attempts", harness.Times(100)}, more...)
}

// stats are the counters of its store.
func (s *server) stats() harness.Stats {
	s.t.Helper()
	got, err := harness.ReadStats(s.store)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// each runs a test for both versions of TLS.
func each(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run("TLS "+version, func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}
