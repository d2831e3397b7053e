package haproxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// The context of a bind line has no certificate before HAProxy has looked at the name: its line of the log has that which it shows then.
func TestContextsAreDescribed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Tickets = true
	log := filepath.Join(s.Dir, "said")
	s.Env = append(harness.WithTickets(s.Env, "keep"), "GOSESS_LOG=info:"+log)
	s.do(s.Start)
	s.load("--tls", "1.3", "--sessions", "20", "--attempts", "50")
	s.load("--tls", "1.2", "--sessions", "20", "--attempts", "50")
	text, err := os.ReadFile(log)
	if said := string(text); err != nil || strings.Count(said, "\n") != 1 || !strings.Contains(said, "context first.test: sessions are kept in "+s.store) ||
		!strings.Contains(said, "GOSESS_TICKETS=shared keeps them") {
		t.Errorf("said (%v):\n%s", err, said)
	}
}
