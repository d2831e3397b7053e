package haproxy_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"gosess/tests/harness"
)

// Is a session resumed where it was made, and nowhere else? HAProxy's session id context is the same for all that it
// listens on, so that nothing but gosess keeps one's sessions from the other (S7).
func TestRefusals(t *testing.T) {
	harness.Refusals{Start: startWithPlaces, System: system, Lacks: map[string]string{
		"no cache": "HAProxy has one cache for all",
		"expiry":   "its own cache answers first, and in TLS 1.3 makes a new session of each",
	}}.Run(t)
}

// startWithPlaces starts an HAProxy that listens at a port for each place; one at the port of the first is a certificate more.
// Its own cache, which it shares between all of them, ends with a reload.
func startWithPlaces(t *testing.T, _ string, places []harness.Place) (guests []harness.Guest) {
	t.Helper()
	s := newServer(t)
	for i, p := range places {
		cert, port := s.CertAndKey(), s.Port
		if p.Certificate != "" {
			cert = s.joined(p)
		}
		switch {
		case p.SamePort:
			s.Bind += " crt " + cert
		case i == 0:
			s.Bind = options(p)
		default:
			var err error
			if port, err = harness.FreePort(); err != nil {
				t.Fatal(err)
			}
			s.Sections += s.frontend(port, "crt "+cert+" "+options(p))
		}
		// Each session is offered once: HAProxy's own cache answers those that TLS 1.3 makes of resumed ones.
		guest := harness.Guest{T: t, Store: s.store, Port: port, Judged: p.Authority != "", Arguments: []string{"--attempts", harness.Times(20)}}
		guest.Forget = func() { s.do(s.Reload) }
		guests = append(guests, guest)
	}
	s.do(s.Start)
	return guests
}

// joined is the file of the certificate of a place.
func (s *server) joined(p harness.Place) (file string) {
	s.t.Helper()
	cert, err := s.Authority.Issue(p.ServerName())
	if err != nil {
		s.t.Fatal(err)
	}
	file = filepath.Join(s.Dir, p.Certificate+".pem")
	s.do(func() error { return cert.Join(file) })
	return file
}

// options are what a place has in its bind line.
func options(p harness.Place) (text string) {
	if p.Authority != "" {
		text += "ca-file " + p.Authority + " verify required "
	}
	if p.Version != "" {
		text += fmt.Sprintf("ssl-min-ver TLSv%[1]s ssl-max-ver TLSv%[1]s ", p.Version)
	}
	if p.Ciphers != (harness.Ciphers{}) {
		text += "ciphers " + p.Ciphers.List + " ciphersuites " + p.Ciphers.Suites + " "
	}
	return text
}
