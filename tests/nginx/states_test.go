package nginx_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// A session of each state is offered in each, after reloads.
func TestStates(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		harness.Judge(t, s.walk(url, version, s.Reload, ""))
	})
}

// The same over restarts.
func TestStatesOverRestarts(t *testing.T) {
	harness.OnlyWhereAll(t)
	harness.EachVersion(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		harness.Judge(t, s.walk(url, version, func() error { return harness.StopAndStart(s) }, ""))
	})
}

// The same with tickets, whose key outlives the reloads: they are nginx's own, with gosess as without.
func TestStatesWithTickets(t *testing.T) {
	harness.OnlyWhereAll(t)
	harness.EachVersion(t, func(t *testing.T, version string) {
		key := filepath.Join(t.TempDir(), "ticket.key")
		write(t, key, strings.Repeat("gosess tests", 4))
		cells := func(preloaded bool) map[harness.Cell]harness.Outcome {
			s, _ := withStore(t)
			s.Tickets = true
			if !preloaded {
				s.Env = nil
			}
			return s.walk("", version, s.Reload, fmt.Sprintf("ssl_session_ticket_key %s;", key))
		}
		harness.JudgeTickets(t, cells(false), cells(true))
	})
}

// walk takes the server through all states, with more directives in each server block.
func (s *server) walk(url, version string, again func() error, more string) map[harness.Cell]harness.Outcome {
	s.t.Helper()
	second, err := harness.FreePort()
	if err != nil {
		s.t.Fatal(err)
	}
	w := harness.Walk{
		Guest:       harness.Guest{T: s.t, Store: url, Arguments: []string{"--tls", version}},
		Server:      s,
		Ports:       [2]int{s.Port(), second},
		Credentials: harness.NewCredentials(s.t, s.Dir),
		Again:       again,
	}
	w.Configure = func(hosts []harness.VirtualHost) error {
		s.Sites = nil
		for _, host := range hosts {
			s.Sites = append(s.Sites, site(host, w.Ports, more))
		}
		return nil
	}
	return w.Run(s.t)
}

// site is a server block as a state wants it.
func site(host harness.VirtualHost, ports [2]int, more string) harness.Site {
	second := host.Certificates[1]
	// A busy machine needs more for all states than the five minutes that are nginx's default.
	directives := more + fmt.Sprintf(" ssl_session_timeout 1h; ssl_certificate %s; ssl_certificate_key %s;", second.Cert, second.Key)
	if host.CA != "" {
		directives += fmt.Sprintf(" ssl_verify_client on; ssl_client_certificate %s;", host.CA)
	}
	if host.CRL != "" {
		directives += fmt.Sprintf(" ssl_crl %s;", host.CRL)
	}
	return harness.Site{Port: ports[host.Port], Name: host.Name, Cert: host.Certificates[0], Directives: directives}
}
