package httpd_test

import (
	"fmt"
	"testing"

	"gosess/tests/harness"
)

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
