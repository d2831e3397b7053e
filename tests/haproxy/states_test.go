package haproxy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// A session of each state is offered in each, after reloads, with which HAProxy's own cache ends.
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
	s := newServer(t)
	more := ""
	if tickets == harness.TicketKeys {
		s.Tickets, more = true, "tls-ticket-keys "+s.ticketKeys()
	}
	if tickets == harness.SharedTickets {
		s.Tickets, s.Env = true, append(s.Env, "GOSESS_TICKETS=shared")
	}
	if !preloaded {
		s.Env = nil
	}
	w := harness.NewWalk(t, s, s.Dir, harness.Guest{T: t, Store: s.store, Arguments: speaks(version)})
	w.Judges = true
	w.Env = &s.Env
	w.Configure = func(hosts []harness.VirtualHost) error {
		s.Global = fmt.Sprintf("tune.ssl.lifetime %d", hosts[0].Lifetime)
		return s.configure(hosts, w.Ports, more)
	}
	return w
}

// speaks is the arguments of a client with that version. One that speaks nothing but TLS 1.3 names no cipher with ECDSA, and is shown
// RSA by HAProxy 2.6, whatever it takes: so it speaks 1.2 too, as clients do.
func speaks(version string) []string {
	if version == "1.3" {
		version = "any"
	}
	return []string{"--tls", version}
}

// configure makes a frontend of each port, whose certificates are in a list: that of the default server is the first.
func (s *server) configure(hosts []harness.VirtualHost, ports [2]int, more string) error {
	var lists [2]strings.Builder
	for i, host := range hosts {
		for kind, certificate := range host.Certificates {
			file := filepath.Join(s.Dir, fmt.Sprintf("state-%d-%d.pem", i, kind))
			if err := certificate.Join(file); err != nil {
				return err
			}
			options := ""
			if host.CA != "" {
				options = "verify required ca-file " + host.CA
			}
			if host.CRL != "" {
				options += " crl-file " + host.CRL
			}
			if host.Cipher != "" {
				options += " ciphers " + host.Cipher
			}
			fmt.Fprintf(&lists[host.Port], "%s [%s] %s\n", file, options, host.Name)
		}
	}
	s.Sections = ""
	for i, port := range ports {
		file := filepath.Join(s.Dir, fmt.Sprintf("list%d", i))
		if err := os.WriteFile(file, []byte(lists[i].String()), 0o600); err != nil {
			return err
		}
		s.Sections += s.frontend(port, "crt-list "+file+" "+more)
	}
	return nil
}

// frontend is one more section of the configuration.
func (s *server) frontend(port int, options string) string {
	tickets := "no-tls-tickets"
	if s.Tickets {
		tickets = ""
	}
	return fmt.Sprintf(`
frontend port%d
    bind 127.0.0.1:%d ssl %s %s ssl-min-ver TLSv1.2
    http-request return status 200 content-type text/plain string ok
`, port, port, options, tickets)
}

// The store counts what the load client does, but for what HAProxy's own cache answers, which here has room for one session.
func TestStatsAgree(t *testing.T) { harness.Walker(forgetful).StatsAgree(t, false) }

// It says why sessions are not resumed, for those reasons too that take time, or a fault.
func TestStatsHaveReasons(t *testing.T) { harness.Walker(forgetful).StatsHaveReasons(t) }

// forgetful is a walk with a server whose own cache has room for one session.
func forgetful(t *testing.T, version string, preloaded bool, tickets harness.Tickets) *harness.Walk {
	t.Helper()
	w := walk(t, version, preloaded, tickets)
	w.Server.(*server).CacheSize = 1
	return w
}
