package hitch_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"gosess/tests/harness"
)

// withStore is a hitch with GOSESS_TICKETS, these lines and a store, that is not yet started, and a client of its first frontend.
func withStore(t *testing.T, dir, tickets string, lines ...string) (*harness.Program, harness.Guest) {
	t.Helper()
	store, env := harness.Stored(t, dir)
	p, err := newHitch(t, dir, 2, append(env, "GOSESS_TICKETS="+tickets), lines...)
	if err != nil {
		t.Fatal(err)
	}
	return p, harness.Guest{T: t, Store: store, Port: p.Port, Late: true, Live: tickets == "shared"}
}

func certificate(t *testing.T, dir, name string) (path string) {
	t.Helper()
	path, err := harness.CertAndKeyOf(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Is a session, or a ticket, resumed where it was made, and nowhere else?
func TestRefusals(t *testing.T) {
	for _, tickets := range []string{"stateful", "shared"} {
		t.Run(tickets, func(t *testing.T) {
			t.Parallel()
			start := func(t *testing.T, dir string, places []harness.Place) []harness.Guest {
				t.Helper()
				return startWithPlaces(t, dir, tickets, places)
			}
			harness.Refusals{Start: start, Lacks: map[string]string{
				"no cache": "hitch has one cache for all, on or off",
				"expiry":   "hitch sets no lifetime",
			}}.Run(t)
		})
	}
}

// startWithPlaces starts a hitch with a frontend for each place; one at the port of the first is a certificate more.
func startWithPlaces(t *testing.T, dir, tickets string, places []harness.Place) (guests []harness.Guest) {
	t.Helper()
	var lines []string
	var ports []int
	for i, p := range places {
		pem := filepath.Join(dir, "server.pem")
		if p.Certificate != "" {
			pem = certificate(t, filepath.Join(dir, p.Certificate), p.ServerName())
		}
		port := 0 // the first frontend's
		switch {
		case p.SamePort:
			lines = append(lines, fmt.Sprintf("pem-file = %q", pem))
		case i > 0 || p.Ciphers != (harness.Ciphers{}):
			var err error
			if port, err = harness.FreePort(); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("frontend = {\nhost = \"127.0.0.1\"\nport = \"%d\"\npem-file = %q\n%s}", port, pem, settings(p)))
		}
		ports = append(ports, port)
	}
	server, guest := withStore(t, dir, tickets, lines...)
	for _, port := range ports {
		if port == 0 {
			port = server.Port
		}
		guests = append(guests, guest.At(port))
	}
	harness.StartFor(t, server.Subject())
	return guests
}

// settings are what a place has in its frontend.
func settings(p harness.Place) (text string) {
	if p.Authority != "" {
		text += fmt.Sprintf("client-verify = required\nclient-verify-ca = %q\n", p.Authority)
	}
	if p.Version != "" {
		text += fmt.Sprintf("tls-protos = TLSv%s\n", p.Version)
	}
	if p.Ciphers != (harness.Ciphers{}) {
		text += fmt.Sprintf("ciphers = %q\nciphersuites = %q\n", p.Ciphers.List, p.Ciphers.Suites)
	}
	return text
}

// A renewed certificate ends the sessions of the one before, and the tickets, whichever way hitch reads it.
func TestRenewedCertificate(t *testing.T) {
	for _, tickets := range []string{"stateful", "shared"} {
		t.Run(tickets, func(t *testing.T) {
			harness.EachVersion(t, func(t *testing.T, version string) {
				dir := harness.TempDir(t)
				p, client := withStore(t, dir, tickets)
				harness.StartFor(t, p.Subject())
				client.With("--tls", version, "--sni", "first.test").EndsWhenRenewed(
					func() { certificate(t, dir, "first.test") }, p.Reload, func() error { return harness.StopAndStart(p) })
			})
		})
	}
}
