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
func TestStates(t *testing.T) { harness.Walker(walk).OverReloads(t) }

// The same over restarts.
func TestStatesOverRestarts(t *testing.T) { harness.Walker(walk).OverRestarts(t) }

// The same with tickets.
func TestStatesWithTickets(t *testing.T) { harness.Walker(walk).WithTickets(t) }

// Without gosess httpd's children may refuse each other's tickets, whatever the file of their keys: what mod_ssl makes their MACs with
// is on a stack, and in some starts is another for each child (S12). Where this is never seen any more, the page and the fact are of
// an older mod_ssl.
func TestTicketsOfOtherChildren(t *testing.T) {
	harness.OnlyWhereAll(t)
	for range 20 {
		s := newServer(t)
		s.Env, s.MPM = nil, "worker"
		s.withTicketKey()
		s.do(s.Start)
		s.do(s.Reload)
		r := s.load(s.pool("1.2")...)
		s.do(s.Stop)
		if r.Resumed < r.Attempts {
			return
		}
	}
	t.Error("the children of 20 starts have all taken each other's tickets")
}

// withTicketKey makes it have tickets whose keys are in a file.
func (s *server) withTicketKey() {
	s.t.Helper()
	key := filepath.Join(s.Dir, "ticket.key")
	s.do(func() error { return os.WriteFile(key, []byte(strings.Repeat("gosess tests", 4)), 0o600) })
	s.SSL = "SSLSessionCache nonenotnull\nSSLSessionTickets on\nSSLSessionTicketKeyFile " + key
}

// The same with tickets that gosess seals.
func TestStatesWithSharedTickets(t *testing.T) { harness.Walker(walk).WithSharedTickets(t) }

// walk is a server that can be taken through all states.
func walk(t *testing.T, version string, preloaded bool, tickets harness.Tickets) *harness.Walk {
	t.Helper()
	s := newServer(t)
	if tickets == harness.TicketKeys {
		s.withTicketKey()
	}
	if tickets == harness.SharedTickets {
		s.SSL = "SSLSessionCache nonenotnull\nSSLSessionTickets on"
		s.Env = append(s.Env, "GOSESS_TICKETS=shared")
	}
	if !preloaded {
		s.Env = nil
	}
	w := harness.NewWalk(t, s, s.Dir, harness.Guest{T: t, Store: s.store, Arguments: []string{"--tls", version}})
	w.Judges = true
	s.says = "AH02032" // who asks for the host of another name is sent away
	w.Env = &s.Env
	settings := s.SSL
	w.Configure = func(hosts []harness.VirtualHost) error {
		s.Sites = nil
		s.SSL = fmt.Sprintf("%s\nSSLSessionCacheTimeout %d", settings, hosts[0].Lifetime)
		for _, host := range hosts {
			s.Sites = append(s.Sites, site(host, w.Ports))
		}
		return nil
	}
	return w
}

// site is a virtual host as a state wants it.
func site(host harness.VirtualHost, ports [2]int) harness.Site {
	second := host.Certificates[1]
	directives := fmt.Sprintf("SSLCertificateFile %s\nSSLCertificateKeyFile %s\n", second.Cert, second.Key)
	if host.CA != "" {
		directives += fmt.Sprintf("SSLVerifyClient require\nSSLCACertificateFile %s\n", host.CA)
	}
	if host.Cipher != "" {
		directives += fmt.Sprintf("SSLCipherSuite %s\n", host.Cipher)
	}
	if host.CRL != "" {
		directives += fmt.Sprintf("SSLCARevocationFile %s\nSSLCARevocationCheck leaf\n", host.CRL)
	}
	return harness.Site{Port: ports[host.Port], Name: host.Name, Cert: host.Certificates[0], Directives: directives}
}

// The store counts what the load client does.
func TestStatsAgree(t *testing.T) { harness.Walker(walk).StatsAgree(t, true) }

// It says why sessions are not resumed, for those reasons too that take time, or a fault.
func TestStatsHaveReasons(t *testing.T) { harness.Walker(walk).StatsHaveReasons(t) }
