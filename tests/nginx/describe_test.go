package nginx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// What a context does is one line when it is first served, and none again by other workers, after a reload, or for another context that
// does the same.
func TestContextsAreDescribed(t *testing.T) {
	for name, test := range map[string]struct{ tickets, directives, want string }{
		"keep": {"keep", "", "sessions are kept in shm:, and found by their ids until the server ends; tickets are stateless and under this " +
			"process's own keys, so a reload ends them: GOSESS_TICKETS=shared keeps them"},
		"shared":     {"shared", "", "tickets are stateless, under keys of gosess that change every 60 m"},
		"stateful":   {"stateful", "", "tickets of TLS 1.3 are stateful, and are kept with them"},
		"early data": {"shared", "ssl_early_data on;", "tickets of TLS 1.3 are sealed as without gosess, as early data is accepted: it could be replayed"},
		"own key":    {"shared", "ssl_session_ticket_key @KEY@;", "tickets are stateless and under the server's own keys: GOSESS_TICKETS=shared,override"},
		"override":   {"shared,override", "ssl_session_ticket_key @KEY@;", "under keys of gosess"},
		"off":        {"shared", "ssl_session_cache off;", "no session is kept, as the server has its session cache off; tickets are stateless, under keys of gosess"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, "shm:?size=1m")
			s.Tickets, s.says = true, 1
			s.Env = append(harness.WithTickets(s.Env, test.tickets), "GOSESS_LOG=info")
			key := filepath.Join(s.Dir, "ticket.key")
			must(t, os.WriteFile(key, make([]byte, 80), 0o600))
			s.Sites[0].Directives = strings.Replace(test.directives, "@KEY@", key, 1)
			s.do(s.Start)
			s.load(few("1.3")...)
			s.do(s.Reload)
			s.load(few("1.2")...)
			if said := strings.Join(s.Said(), "\n"); !strings.Contains(said, "context first.test: ") || !strings.Contains(said, test.want) {
				t.Errorf("said:\n%s\nwant %s", said, test.want)
			}
		})
	}
}
