package nginx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"gosess/tests/harness"
)

// nginx switches to the server block of a name after libssl has looked for the session: what the name leads to is learned.

const own = "own.test"

// withName is a server with a store whose first port has a default server and own.test, each with a certificate of its own.
func withName(t *testing.T, version string) (s *server, guest harness.Guest) {
	t.Helper()
	s, url := withStore(t)
	s.addName(s.Port(), own)
	return s, harness.Guest{
		T: t, Store: url, Port: s.Port(), Late: true,
		Arguments: []string{"--tls", version, "--sni", own},
	}
}

// addName adds a server block of another name to a port.
func (s *server) addName(port int, name string) *harness.Site {
	s.t.Helper()
	site, err := s.AddSite(name)
	if err != nil {
		s.t.Fatal(err)
	}
	site.Port = port
	return site
}

// client is the load client's arguments of a client of that name whom an authority vouches for, and its certificate.
func (s *server) client(authority *harness.Authority, name string) ([]string, harness.Certificate) {
	s.t.Helper()
	client, err := authority.Issue(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return []string{"--cert", client.Cert, "--key", client.Key}, client
}

func verifies(authority *harness.Authority) string {
	return fmt.Sprintf("ssl_verify_client on; ssl_client_certificate %s;", authority.CA)
}

// A name whose policy was the default server's, and that asks for more after a reload: who was let in before has to show who it
// is, like anybody else.
func TestNameBecomesStricter(t *testing.T) {
	for what, test := range map[string]struct {
		verified bool // from the beginning, by the first authority
		stricter func(one, two *harness.Authority, list string) string
	}{
		"asks for a certificate": {false, func(one, _ *harness.Authority, _ string) string { return verifies(one) }},
		"asks another authority": {true, func(_, two *harness.Authority, _ string) string { return verifies(two) }},
		"has a revocation list": {true, func(one, _ *harness.Authority, list string) string {
			return verifies(one) + " ssl_crl " + list + ";"
		}},
	} {
		t.Run(what, func(t *testing.T) {
			harness.EachVersion(t, func(t *testing.T, version string) {
				s, guest := withName(t, version)
				one, two := s.newAuthority(filepath.Join(s.Dir, "one")), s.newAuthority(filepath.Join(s.Dir, "two"))
				if test.verified {
					arguments, client := s.client(one, "first.client")
					guest = guest.With(arguments...)
					for i := range s.Sites {
						s.Sites[i].Directives = verifies(one)
					}
					list := filepath.Join(s.Dir, "revoked.pem")
					s.do(func() error { return one.Revoke(list, client) })
				}
				s.do(s.Start)
				old := guest.Sessions()
				guest.Resumes(old)
				s.Sites[1].Directives = test.stricter(one, two, filepath.Join(s.Dir, "revoked.pem"))
				s.do(s.Reload)
				guest.IsTurnedAway(old)

				authority := one
				if what == "asks another authority" {
					authority = two
				}
				arguments, _ := s.client(authority, "second.client")
				welcome := guest.With(arguments...)
				of := welcome.Sessions()
				welcome.Resumes(of)
				welcome.IsRefused(old)
			})
		})
	}
}

// A name that leads elsewhere at a second port, whose default servers are alike: each port resumes its own sessions only.
func TestNameOnTwoPorts(t *testing.T) {
	for what, test := range map[string]struct{ verified, either bool }{
		"the first asks for nothing":                             {},
		"each asks an authority":                                 {verified: true},
		"each asks an authority, where the others take either's": {verified: true, either: true},
	} {
		t.Run(what, func(t *testing.T) {
			harness.EachVersion(t, func(t *testing.T, version string) {
				s, first := withName(t, version)
				one, two := s.newAuthority(filepath.Join(s.Dir, "one")), s.newAuthority(filepath.Join(s.Dir, "two"))
				port, err := harness.FreePort()
				if err != nil {
					t.Fatal(err)
				}
				second := first.At(port)
				if test.either {
					s.Sites[0].Directives = s.takesEither(one, two)
				}
				s.Sites = append(s.Sites, s.Sites[0])
				s.Sites[2].Port = port
				s.addName(port, own).Directives = verifies(two) // with another certificate, too
				arguments, _ := s.client(two, "second.client")
				second = second.With(arguments...)
				if test.verified {
					s.Sites[1].Directives = verifies(one)
					arguments, _ := s.client(one, "first.client")
					first = first.With(arguments...)
				}
				s.do(s.Start)
				for range 2 {
					ofFirst := first.Sessions()
					first.At(port).IsTurnedAway(ofFirst)
					second.IsRefused(ofFirst)
					first.Resumes(ofFirst)
					ofSecond := second.Sessions()
					second.At(first.Port).With(first.Arguments...).IsRefused(ofSecond)
					second.Resumes(ofSecond)
					first.Resumes(ofFirst)
					s.do(s.Reload)
				}
			})
		})
	}
}

// A certificate that is renewed ends the sessions that it was shown with, the default server's and a name's, each of two kinds.
func TestRenewedCertificates(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		s, named := withName(t, version)
		var guests []harness.Renewable
		for i := range s.Sites {
			site := &s.Sites[i]
			rsaName := "rsa." + site.Name
			rsa, err := s.Authority.IssueRSA(rsaName)
			if err != nil {
				t.Fatal(err)
			}
			site.Directives = fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;", rsa.Cert, rsa.Key)
			guest := named
			if i == 0 {
				guest = harness.Guest{T: t, Store: named.Store, Port: named.Port, Arguments: []string{"--tls", version}}
			}
			guests = append(guests,
				harness.Renewable{Guest: guest, Renew: s.Authority.Renew(t, site.Name)},
				harness.Renewable{Guest: guest.With("--sigalgs", harness.RSAOnly), Renew: s.Authority.RenewRSA(t, rsaName)})
		}
		s.do(s.Start)
		harness.EndWhenRenewed(guests, s.Reload, func() error { return harness.StopAndStart(s) })
	})
}

// Certificates whose file is named by the client, so to speak, are read at each handshake. What the next one would show is not
// known when libssl looks: full handshakes, and none resumed with a certificate that is no more.
func TestCertificatesWithVariables(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		s, guest := withName(t, version)
		renew := s.Authority.Renew(t, own)
		issue := func() {
			renew()
			for _, path := range []string{".pem", ".key"} { // the workers read them
				s.do(func() error { return os.Chmod(filepath.Join(s.Dir, own+path), 0o644) })
			}
		}
		issue()
		s.Sites[1].Cert = harness.Certificate{
			Cert: filepath.Join(s.Dir, "$ssl_server_name.pem"),
			Key:  filepath.Join(s.Dir, "$ssl_server_name.key"),
		}
		s.do(s.Start)
		old := guest.Sessions()
		issue()
		guest.IsRefused(old)
		guest.ResumesNone()
	})
}

// What one worker has learned of a name all of them know: after a reload, and a restart, a name has one full handshake and not one
// with each worker, and who asks for no name has none.
func TestFullHandshakesOfNames(t *testing.T) {
	const names, workers = 100, 4
	harness.EachVersion(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		s.WorkerCount = workers
		s.Sites[0].Listen = "reuseport" // the kernel spreads connections over the workers
		for i := range names {
			site := s.addName(s.Port(), strconv.Itoa(i)+".names.test")
			if i%2 == 1 { // with another policy than the default server's
				site.Directives = "ssl_verify_client optional; ssl_client_certificate " + s.Authority.CA + ";"
			}
		}
		s.do(s.Start)
		nameless := harness.Guest{T: t, Store: url, Port: s.Port(), Arguments: []string{"--tls", version}}
		named := []string{"--tls", version, "--sni", "names.test", "--names", strconv.Itoa(names)}
		ofNameless, ofNamed := nameless.Sessions(), filepath.Join(t.TempDir(), "sessions")
		s.load(append(named, "--sessions", strconv.Itoa(names), "--attempts", "0", "--save", ofNamed)...)
		named = append(named, "--load", ofNamed)
		for what, again := range map[string]func() error{
			"reload": s.Reload, "restart": func() error { return harness.StopAndStart(s) },
		} {
			s.do(again)
			nameless.Resumes(ofNameless)
			// One attempt of each name after the other, and then more at once.
			first := s.load(append(named, "--attempts", strconv.Itoa(names), "--threads", "1")...)
			more := s.load(append(named, "--attempts", strconv.Itoa(8*names), "--threads", "4")...)
			t.Logf("after a %s: %d of %d first handshakes were full, and %d of %d more", what, first.Full, first.Attempts, more.Full, more.Attempts)
			if first.Attempts != names || more.Full != 0 || more.Workers != workers {
				t.Errorf("after a %s: %d of %d handshakes of names that were known were full, with %d workers",
					what, more.Full, more.Attempts, more.Workers)
			}
		}
	})
}
