package httpd_test

import (
	"fmt"
	"testing"

	"gosess/tests/harness"
)

// Is a session resumed where it was made, and nowhere else?
func TestRefusals(t *testing.T) {
	harness.Refusals{Start: startWithPlaces, Lacks: map[string]string{
		"no cache": "httpd has one cache for all: see TestOffStaysOff",
	}}.Run(t)
}

// startWithPlaces starts an httpd with a virtual host for each place.
func startWithPlaces(t *testing.T, _ string, places []harness.Place) (guests []harness.Guest) {
	t.Helper()
	s := newServer(t)
	for i, p := range places {
		if i > 0 {
			s.do(func() error { return s.AddPlace(p) })
		}
		site := &s.Sites[i]
		site.Directives = s.directives(p)
		guests = append(guests, harness.Guest{T: t, Store: s.store, Port: site.Port})
	}
	s.do(s.Start)
	return guests
}

// directives are what a place has in its virtual host. The lifetime is the whole server's.
func (s *server) directives(p harness.Place) (text string) {
	if p.Authority != "" {
		text += fmt.Sprintf("SSLVerifyClient require\nSSLCACertificateFile %s\n", p.Authority)
	}
	if p.Version != "" {
		text += fmt.Sprintf("SSLProtocol TLSv%s\n", p.Version)
	}
	if p.Ciphers != (harness.Ciphers{}) {
		text += fmt.Sprintf("SSLCipherSuite %s\nSSLCipherSuite TLSv1.3 %s\n", p.Ciphers.List, p.Ciphers.Suites)
	}
	if p.Seconds != 0 {
		s.SSL += fmt.Sprintf("\nSSLSessionCacheTimeout %d", p.Seconds)
	}
	return text
}
