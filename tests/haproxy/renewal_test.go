package haproxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// HAProxy makes a connection from a context that has no certificate, and switches to one for each certificate before libssl looks.

// certified is a client, the file of the certificate that it is shown, and how it is renewed.
type certified struct {
	harness.Renewable
	file string
}

// withBundle is a server whose default certificate is beside two of own.test, one of each kind, and the clients of all.
func withBundle(t *testing.T, version string) (*server, []certified) {
	t.Helper()
	s := newServer(t)
	bundle := filepath.Join(s.Dir, "own")
	s.Bind = "crt " + bundle
	// Each session is offered once: HAProxy's own cache answers those that TLS 1.3 makes of resumed ones.
	guest := harness.Guest{T: t, Store: s.store, Port: s.Port, Arguments: append(speaks(version), "--attempts", harness.Times(20))}
	client := func(g harness.Guest, file string, issue func(string) (harness.Certificate, error), name string) certified {
		renew := func() {
			t.Helper()
			cert, err := issue(name)
			if err == nil {
				err = cert.Join(file)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		renew()
		return certified{harness.Renewable{Guest: g, Renew: renew}, file}
	}
	named := guest.With("--sni", "own.test")
	return s, []certified{
		client(named, bundle+".ecdsa", s.Authority.Issue, "own.test"),
		client(named.With("--sigalgs", harness.RSAOnly), bundle+".rsa", s.Authority.IssueRSA, "own.test"),
		client(guest, s.CertAndKey(), s.Authority.Issue, "first.test"),
	}
}

// A certificate that is renewed ends the sessions that it was shown with.
func TestRenewedCertificates(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, clients := withBundle(t, version)
		s.do(s.Start)
		var guests []harness.Renewable
		for _, c := range clients {
			guests = append(guests, c.Renewable)
		}
		harness.EndWhenRenewed(guests, s.Reload, func() error { return harness.StopAndStart(s) })
	})
}

// Over its command line HAProxy makes new contexts while it serves. Its own cache goes on, with gosess as without, so what is
// offered here it has forgotten before.
func TestCertificateOverTheCommandLine(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, clients := withBundle(t, version)
		s.do(s.Start)
		for _, c := range clients {
			old := c.Sessions()
			s.do(s.Reload)
			s.commit(c.file)
			c.Resumes(old)
			c.Renew()
			s.commit(c.file)
			c.IsRefused(old)
			// New ones are as good as any.
			of := c.Sessions()
			s.do(s.Reload)
			c.Resumes(of)
		}
	})
}

// commit hands a certificate over to the worker.
func (s *server) commit(file string) {
	s.t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	said := s.Ask("set ssl cert "+file+" <<\n"+string(pem)) + s.Ask("commit ssl cert "+file)
	if !strings.Contains(said, "Success!") {
		s.t.Fatalf("%s is not taken: %s", file, said)
	}
}
