package nginx_test

import (
	"fmt"
	"testing"

	"gosess/tests/harness"
)

// Is a session resumed where it was made, and nowhere else?
func TestRefusals(t *testing.T) {
	harness.Refusals{Start: startWithPlaces, System: system}.Run(t)
}

// startWithPlaces starts a server with a server block for each place.
func startWithPlaces(t *testing.T, _ string, places []harness.Place) (guests []harness.Guest) {
	t.Helper()
	s, url := withStore(t)
	for i, p := range places {
		if i > 0 {
			s.do(func() error { return s.AddPlace(p) })
		}
		site := &s.Sites[i]
		site.Directives = directives(p)
		guests = append(guests, harness.Guest{T: t, Store: url, Port: site.Port, Late: true})
	}
	s.do(s.Start)
	return guests
}

// directives are what a place has in its server block.
func directives(p harness.Place) (text string) {
	if p.Authority != "" {
		text += fmt.Sprintf("ssl_verify_client on; ssl_client_certificate %s; ", p.Authority)
	}
	if p.Version != "" {
		text += fmt.Sprintf("ssl_protocols TLSv%s; ", p.Version)
	}
	if p.Ciphers != (harness.Ciphers{}) {
		text += fmt.Sprintf("ssl_ciphers %s; ssl_conf_command Ciphersuites %s; ", p.Ciphers.List, p.Ciphers.Suites)
	}
	if p.Off {
		text += "ssl_session_cache off; "
	}
	if p.Seconds != 0 {
		text += fmt.Sprintf("ssl_session_timeout %ds; ", p.Seconds)
	}
	return text
}
