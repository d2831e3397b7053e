package httpd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// A session of each state is offered in each, after reloads.
func TestStates(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		harness.Judge(t, s.walk(s.store, version, s.Reload))
	})
}

// The same over restarts.
func TestStatesOverRestarts(t *testing.T) {
	harness.OnlyWhereAll(t)
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		harness.Judge(t, s.walk(s.store, version, func() error { return harness.StopAndStart(s) }))
	})
}

// The same with tickets, whose key outlives the reloads: they are httpd's own, with gosess as without.
func TestStatesWithTickets(t *testing.T) {
	harness.OnlyWhereAll(t)
	each(t, func(t *testing.T, version string) {
		key := filepath.Join(t.TempDir(), "ticket.key")
		if err := os.WriteFile(key, []byte(strings.Repeat("gosess tests", 4)), 0o600); err != nil {
			t.Fatal(err)
		}
		cells := func(preloaded bool) map[harness.Cell]harness.Outcome {
			s := newServer(t)
			s.SSL = "SSLSessionCache nonenotnull\nSSLSessionTickets on\nSSLSessionTicketKeyFile " + key
			if !preloaded {
				s.Env = nil
			}
			return s.walk("", version, s.Reload)
		}
		harness.JudgeTickets(t, cells(false), cells(true))
	})
}

// walk takes the server through all states.
func (s *server) walk(store, version string, again func() error) map[harness.Cell]harness.Outcome {
	s.t.Helper()
	second, err := harness.FreePort()
	if err != nil {
		s.t.Fatal(err)
	}
	s.SSL += "\nSSLSessionCacheTimeout 3600" // a busy machine needs more for all states than the default of five minutes
	w := harness.Walk{
		Guest:       harness.Guest{T: s.t, Store: store, Arguments: []string{"--tls", version}},
		Server:      s,
		Ports:       [2]int{s.Port(), second},
		Credentials: harness.NewCredentials(s.t, s.Dir),
		Again:       again,
	}
	w.Configure = func(hosts []harness.VirtualHost) error {
		s.Sites = nil
		for _, host := range hosts {
			s.Sites = append(s.Sites, site(host, w.Ports))
		}
		return nil
	}
	return w.Run(s.t)
}

// site is a virtual host as a state wants it.
func site(host harness.VirtualHost, ports [2]int) harness.Site {
	second := host.Certificates[1]
	directives := fmt.Sprintf("SSLCertificateFile %s\nSSLCertificateKeyFile %s\n", second.Cert, second.Key)
	if host.CA != "" {
		directives += fmt.Sprintf("SSLVerifyClient require\nSSLCACertificateFile %s\n", host.CA)
	}
	if host.CRL != "" {
		directives += fmt.Sprintf("SSLCARevocationFile %s\nSSLCARevocationCheck leaf\n", host.CRL)
	}
	return harness.Site{Port: ports[host.Port], Name: host.Name, Cert: host.Certificates[0], Directives: directives}
}
