package httpd_test

import (
	"testing"

	"gosess/tests/harness"
)

// An httpd without gosess that has exported keys resumes the tickets of another one that had them; it reads one key, so those of the
// period before are over. (The other one had the same place: httpd keeps the tickets of its virtual hosts apart by their ports.)
func TestExportedKeys(t *testing.T) {
	now, later := harness.TicketFiles(t, "httpd", harness.TempDir(t))
	s := newServer(t)
	s.Env, s.SSL = nil, "SSLSessionCache none\nSSLSessionTickets on"
	with := func(keys string) {
		s.Sites[0].Directives = "SSLSessionTicketKeyFile " + keys
		s.do(s.Start)
	}
	with(now)
	of := [][]string{s.pool("1.2"), s.pool("1.3")}
	for _, step := range []struct {
		keys    string
		resumed bool
	}{{now, true}, {later, false}} {
		s.do(s.Stop)
		with(step.keys)
		for _, arguments := range of {
			wanted(t, step.keys, step.resumed, s.load(arguments...))
		}
	}
}
