package haproxy_test

import (
	"testing"

	"gosess/tests/harness"
)

// Does the C half lose memory under HAProxy, whose own cache has no room for all sessions?
func TestValgrind(t *testing.T) {
	harness.OnlyWhereAll(t)
	s := newServer(t)
	valgrind := harness.NewValgrind(t, s.Dir)
	s.Foreground, s.CacheSize = true, 10
	s.Through, s.Env = valgrind.Through, append(s.Env, valgrind.Env...)
	s.do(s.Start)
	for _, version := range []string{"1.2", "1.3"} {
		s.resumes("--tls", version, "--sessions", "20", "--attempts", "60")
	}
	s.do(s.Stop)
	valgrind.Judge(t)
}
