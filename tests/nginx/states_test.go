package nginx_test

import (
	"fmt"
	"testing"

	"gosess/tests/harness"
)

// A session of each state is offered in each, after reloads, and after restarts where all tests are asked for.
func TestStates(t *testing.T) {
	s, url := withStore(t)
	harness.Judge(t, s.walk(url, s.Reload))
}

// walk takes the server through all states.
func (s *server) walk(url string, again func() error) map[harness.Cell]harness.Outcome {
	s.t.Helper()
	second, err := harness.FreePort()
	if err != nil {
		s.t.Fatal(err)
	}
	w := harness.Walk{
		Guest:       harness.Guest{T: s.t, Store: url},
		Server:      s,
		Ports:       [2]int{s.Port(), second},
		Credentials: harness.NewCredentials(s.t, s.Dir),
		Again:       again,
	}
	w.Configure = func(hosts []harness.VirtualHost) error {
		s.Sites = nil
		for _, b := range hosts {
			s.Sites = append(s.Sites, site(b, w.Ports))
		}
		return nil
	}
	return w.Run(s.t)
}

// site is a server block as a state wants it.
func site(b harness.VirtualHost, ports [2]int) harness.Site {
	second := b.Certificates[1]
	directives := fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;", second.Cert, second.Key)
	if b.CA != "" {
		directives += fmt.Sprintf(" ssl_verify_client on; ssl_client_certificate %s;", b.CA)
	}
	if b.CRL != "" {
		directives += fmt.Sprintf(" ssl_crl %s;", b.CRL)
	}
	return harness.Site{Port: ports[b.Port], Name: b.Name, Cert: b.Certificates[0], Directives: directives}
}
