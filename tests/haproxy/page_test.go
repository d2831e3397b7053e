package haproxy_test

import (
	"strings"
	"testing"

	"gosess/tests/harness"
)

// What the page tells an operator to do does what it says. HAProxy's own cache answers before gosess, and counts so.
func TestPage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	harness.PageTour{
		Page: "haproxy", Dir: s.Dir, Server: s, Through: &s.Through, Env: &s.Env, Known: true,
		Resumes: func(bool) {
			s.resumes("--tls", "1.2", "--sessions", "20", "--attempts", "100")
			s.resumes("--tls", "1.3", "--sessions", "20", "--attempts", "100")
			for _, name := range []string{"SslCacheLookups: ", "SslCacheMisses: "} {
				if info := s.Ask("show info"); !strings.Contains(info, name) {
					t.Errorf("show info has no %s\n%s", name, info)
				}
			}
		},
	}.Run(t)
}

// haproxy -c says what is wrong with the environment, and that HAProxy's own configuration is right.
func TestMistakeIsSaid(t *testing.T) {
	s := newServer(t)
	s.Env = append(s.Env, "GOSESS_CACHE=shm:?size=many")
	s.says = 1
	s.do(s.Test)
}
