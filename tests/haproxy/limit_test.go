package haproxy_test

import (
	"regexp"
	"slices"
	"strconv"
	"testing"

	"gosess/tests/harness"
)

// unchanged does something while a worker serves that may start no thread (S1): afterwards it must have the
// threads that it had.
func (s *server) unchanged(step func()) {
	s.t.Helper()
	worker := s.Workers()[0]
	if limit := worker.Limit("Max processes"); limit != "0" {
		s.t.Errorf("the worker may start %s processes and threads", limit)
	}
	threads := worker.ThreadIDs()
	step()
	if now := worker.ThreadIDs(); !worker.Alive() || !slices.Equal(now, threads) {
		s.t.Errorf("the threads were %v, and are %v", threads, now)
	}
}

var collection = regexp.MustCompile(`(?m)^gc \d+ @`)

// Many handshakes with a Go half that collects garbage nearly all the time.
func TestManyHandshakes(t *testing.T) {
	attempts := 5_000
	if harness.All() && system.Root == "" {
		attempts = 100_000
	}
	s := newServer(t)
	s.Attached = true // its stderr is in the log
	// GOGC alone waits for a megabyte of garbage, and a handshake makes none.
	s.Env = append(s.Env, "GOMEMLIMIT=1", "GODEBUG=gctrace=1")
	s.do(s.Start)
	collections := func() int { return len(collection.FindAllString(s.Log(), -1)) }
	before := collections()
	s.unchanged(func() {
		s.resumes("--tls", "1.2", "--attempts", strconv.Itoa(attempts*4/5))
		s.resumes("--tls", "1.3", "--attempts", strconv.Itoa(attempts/5))
	})
	n := collections() - before
	t.Logf("%d garbage collections", n)
	if n < 100 {
		t.Error("too few")
	}
}
