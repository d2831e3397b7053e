package nginx_test

import (
	"fmt"
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

// The same with tickets that gosess seals.
func TestStatesWithSharedTickets(t *testing.T) { harness.Walker(walk).WithSharedTickets(t) }

// walk is a server that can be taken through all states.
func walk(t *testing.T, version string, preloaded bool, tickets harness.Tickets) *harness.Walk {
	t.Helper()
	s, url := withStore(t)
	more := ""
	if tickets == harness.TicketKeys {
		key := filepath.Join(s.Dir, "ticket.key")
		write(t, key, strings.Repeat("gosess tests", 4))
		s.Tickets, more = true, fmt.Sprintf("ssl_session_ticket_key %s;", key)
	}
	if tickets == harness.SharedTickets {
		s.Tickets, s.Env = true, append(s.Env, "GOSESS_TICKETS=shared")
	}
	if !preloaded {
		s.Env = nil
	}
	w := harness.NewWalk(t, s, s.Dir, harness.Guest{T: t, Store: url, Arguments: []string{"--tls", version}})
	w.Env = &s.Env
	w.Configure = func(hosts []harness.VirtualHost) error {
		s.Sites = nil
		for _, host := range hosts {
			s.Sites = append(s.Sites, site(host, w.Ports, more))
		}
		return nil
	}
	return w
}

// site is a server block as a state wants it.
func site(host harness.VirtualHost, ports [2]int, more string) harness.Site {
	second := host.Certificates[1]
	directives := more + fmt.Sprintf(" ssl_session_timeout %ds; ssl_certificate %s; ssl_certificate_key %s;", host.Lifetime, second.Cert, second.Key)
	if host.Cipher != "" {
		directives += fmt.Sprintf(" ssl_ciphers %s;", host.Cipher)
	}
	if host.CA != "" {
		directives += fmt.Sprintf(" ssl_verify_client on; ssl_client_certificate %s;", host.CA)
	}
	if host.CRL != "" {
		directives += fmt.Sprintf(" ssl_crl %s;", host.CRL)
	}
	return harness.Site{Port: ports[host.Port], Name: host.Name, Cert: host.Certificates[0], Directives: directives}
}

// The store counts what the load client does.
func TestStatsAgree(t *testing.T) { harness.Walker(walk).StatsAgree(t, true) }

// It says why sessions are not resumed, for those reasons too that take time, or a fault.
func TestStatsHaveReasons(t *testing.T) { harness.Walker(walk).StatsHaveReasons(t) }
