package httpd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gosess/tests/harness"
)

// crossing is a server with two listeners of the same names. The names that verify ask on either
// listener for a client of another authority; the rest is the same on both, certificates included.
type crossing struct {
	*server
	ports   [2]int
	clients [2]harness.Certificate
}

var names = []string{"first.test", "second.test", "verifies.test"}

func newCrossing(t *testing.T) *crossing {
	c := &crossing{server: newServer(t)}
	var err error
	c.ports[0] = c.Port()
	if c.ports[1], err = harness.FreePort(); err != nil {
		t.Fatal(err)
	}
	c.Sites = nil
	for i, port := range c.ports {
		authority, err := harness.NewAuthority(made(t, filepath.Join(c.Dir, fmt.Sprint(i))))
		if err != nil {
			t.Fatal(err)
		}
		if c.clients[i], err = authority.Issue("client.test"); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			site := harness.Site{Port: port, Name: name, Cert: c.certificate(name)}
			if name == "verifies.test" {
				site.Directives = "SSLVerifyClient require\nSSLCACertificateFile " + authority.CA
			}
			c.Sites = append(c.Sites, site)
		}
	}
	return c
}

// certificate is the one of that name, made where it is not there.
func (c *crossing) certificate(name string) harness.Certificate {
	c.t.Helper()
	for _, site := range c.Sites {
		if site.Name == name {
			return site.Cert
		}
	}
	cert, err := c.Authority.Issue(name)
	if err != nil {
		c.t.Fatal(err)
	}
	return cert
}

func made(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// as is the arguments of a client that asks for that name on that listener.
func (c *crossing) as(listener int, name, version string) []string {
	client := c.clients[listener]
	return []string{"--tls", version, "--sni", name, "--cert", client.Cert, "--key", client.Key}
}

// A session is resumed under the name that it was made for, and under no other; on another listener
// only where that name has the certificate of the listener's default host, and asks for nobody.
func TestNoResumptionAcrossHosts(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		c := newCrossing(t)
		c.do(c.Start)
		for _, from := range names {
			file := filepath.Join(t.TempDir(), "sessions")
			c.load(append(c.as(0, from, version), "--sessions", "10", "--attempts", "0", "--save", file)...)
			for listener, port := range c.ports {
				for _, to := range names {
					before := c.stats().Hits
					r := c.loadAt(port, append(c.as(listener, to, version), "--load", file, "--attempts", "20")...)
					want := from == to && (listener == 0 || from == "first.test" || from == "second.test")
					what := fmt.Sprintf("a session of %s, for %s on listener %d", from, to, listener)
					wanted(t, what, want, r)
					if hits := c.stats().Hits - before; !want && hits != 0 {
						t.Errorf("%s: the store gave out %d", what, hits)
					}
				}
			}
		}
	})
}

// wanted wants all attempts resumed, or none.
func wanted(t *testing.T, what string, resumed bool, r harness.Result) {
	t.Helper()
	want := 0
	if resumed {
		want = r.Attempts
	}
	if r.Attempts == 0 || r.Resumed != want {
		t.Errorf("%s: resumed %d of %d, not %d", what, r.Resumed, r.Attempts, want)
	}
}

// A renewed certificate ends the sessions that it was shown with, whichever way httpd reads it: the default host's, and that of a
// host that is found by its name, each of two kinds.
func TestRenewedCertificates(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		if _, err := s.AddSite("second.test"); err != nil {
			t.Fatal(err)
		}
		s.Sites[1].Port = s.Port()
		var guests []harness.Renewable
		for i := range s.Sites {
			site := &s.Sites[i]
			guest := harness.Guest{T: t, Store: s.store, Port: s.Port(), Arguments: []string{"--tls", version}}
			if i > 0 {
				guest = guest.With("--sni", site.Name)
			}
			rsaName := "rsa." + site.Name
			rsa, err := s.Authority.IssueRSA(rsaName)
			if err != nil {
				t.Fatal(err)
			}
			site.Directives = fmt.Sprintf("SSLCertificateFile %s\nSSLCertificateKeyFile %s", rsa.Cert, rsa.Key)
			guests = append(guests,
				harness.Renewable{Guest: guest, Renew: s.Authority.Renew(t, site.Name)},
				harness.Renewable{Guest: guest.With("--sigalgs", harness.RSAOnly), Renew: s.Authority.RenewRSA(t, rsaName)})
		}
		s.do(s.Start)
		harness.EndWhenRenewed(guests, s.Reload, func() error { return harness.StopAndStart(s) })
	})
}

// A server whose cache is off neither looks into a store nor puts anything in.
func TestOffStaysOff(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		s.do(s.Start)
		old := s.pool(version)
		s.do(s.Stop)
		s.SSL = "SSLSessionCache none\nSSLSessionTickets off"
		before := s.stats()
		s.do(s.Start)
		wanted(t, "sessions of before", false, s.load(old...))
		wanted(t, "its own sessions", false, s.load("--tls", version, "--sessions", "10", "--attempts", "50"))
		if after := s.stats(); after != before {
			t.Errorf("the counters were %+v and are %+v", before, after)
		}
	})
}

// A session ends when the server says so.
func TestTimeout(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		s.SSL += "\nSSLSessionCacheTimeout 4"
		s.do(s.Start)
		if r := s.load("--tls", version, "--sessions", "10", "--attempts", "10"); r.Resumed == 0 {
			t.Error("nothing is resumed")
		}
		old := s.pool(version)
		s.do(func() error {
			return harness.WaitFor("the sessions to end", func() bool { return s.load(old...).Resumed == 0 })
		})
		if s.stats().Expiries == 0 {
			t.Error("the store has no expiry")
		}
	})
}
