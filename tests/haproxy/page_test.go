package haproxy_test

import (
	"strings"
	"testing"

	"gosess/tests/harness"
)

// What the page tells an operator to do does what it says: sessions outlive a reload. Without gosess HAProxy's tickets do not.
func TestPage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Tickets = true
	harness.PageTour{
		Page: "haproxy", Dir: s.Dir, Server: s, Through: &s.Through, Env: &s.Env,
		Resumes: func(wanted bool) {
			old := [][]string{s.pool("1.2"), s.pool("1.3")}
			s.do(s.Reload)
			for _, of := range old {
				if r := s.load(append(of, "--attempts", harness.Times(100))...); wanted != (r.Resumed == r.Attempts) || !wanted && r.Resumed != 0 {
					t.Errorf("resumed %d of %d after a reload, gosess there: %v", r.Resumed, r.Attempts, wanted)
				}
			}
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
