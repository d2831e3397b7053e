package nginx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// twoAuthorities is a server with two ports of one certificate and of one policy, and on both
// a.test, which wants a client's certificate: of the first authority on the first port, of the
// second on the second. It answers nobody but the client that it was made for.
type twoAuthorities struct {
	*server
	url     string
	ports   [2]int
	clients [2]harness.Certificate
}

// newTwoAuthorities is one that is not yet started. Its other names ask for no certificate, or
// take one of either authority.
func newTwoAuthorities(t *testing.T, either bool) *twoAuthorities {
	t.Helper()
	s, url := withStore(t)
	a := &twoAuthorities{server: s, url: url}
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	a.ports = [2]int{s.Port(), port}
	public := harness.Site{Cert: s.Sites[0].Cert}
	var authorities [2]*harness.Authority
	for i, name := range []string{"one", "two"} {
		authorities[i] = s.newAuthority(filepath.Join(s.Dir, name))
	}
	if either {
		public.Directives = s.takesEither(authorities[0], authorities[1])
	}
	s.Sites = nil
	for i, name := range []string{"one", "two"} {
		authority := authorities[i]
		if a.clients[i], err = authority.Issue(name + ".client"); err != nil {
			t.Fatal(err)
		}
		site := public
		site.Port, site.Name = a.ports[i], "default.test"
		s.Sites = append(s.Sites, site)
		site.Name = "b.test"
		s.Sites = append(s.Sites, site)
		site.Name = "a.test"
		site.Directives = "ssl_verify_client on; ssl_client_certificate " + authority.CA + ";"
		site.Location = answersOnly(name + ".client")
		s.Sites = append(s.Sites, site)
	}
	return a
}

// newAuthority is another authority, in a directory of its own.
func (s *server) newAuthority(dir string) *harness.Authority {
	s.t.Helper()
	s.do(func() error { return os.Mkdir(dir, 0o755) })
	authority, err := harness.NewAuthority(dir)
	if err != nil {
		s.t.Fatal(err)
	}
	return authority
}

// takesEither are the directives of a server block that takes a certificate of either authority, or none.
func (s *server) takesEither(one, two *harness.Authority) string {
	s.t.Helper()
	var both []byte
	for _, authority := range []*harness.Authority{one, two} {
		text, err := os.ReadFile(authority.CA)
		if err != nil {
			s.t.Fatal(err)
		}
		both = append(both, text...)
	}
	path := filepath.Join(s.Dir, "both.pem")
	write(s.t, path, string(both))
	return "ssl_verify_client optional; ssl_client_certificate " + path + ";"
}

// answersOnly is a location that refuses every client but one.
func answersOnly(client string) string {
	return fmt.Sprintf(`if ($ssl_client_s_dn != "CN=%s") { return 403; } return 200 ok;`, client)
}

// as is the arguments of a client that asks for a.test with its certificate.
func (a *twoAuthorities) as(client int, version string, more ...string) []string {
	c := a.clients[client]
	return append([]string{"--tls", version, "--sni", "a.test", "--cert", c.Cert, "--key", c.Key}, more...)
}

// eachPolicy runs a test for both versions of TLS and both policies of the other names.
func eachPolicy(t *testing.T, test func(t *testing.T, version string, either bool)) {
	for name, either := range map[string]bool{"the others ask for none": false, "the others take either": true} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, version string) { test(t, version, either) })
		})
	}
}

// Where both ports ask the same authority a client may be resumed, as itself and as nobody else.
func TestOneAuthorityOnTwoPorts(t *testing.T) {
	eachPolicy(t, func(t *testing.T, version string, either bool) {
		a := newTwoAuthorities(t, either)
		// Sites are default.test, b.test and a.test of the first port, then of the second.
		a.Sites[5].Directives = a.Sites[2].Directives
		a.Sites[5].Location = a.Sites[2].Location
		a.do(a.Start)
		file := filepath.Join(t.TempDir(), "sessions")
		harness.Loaded(t, a.ports[0], a.as(0, version, "--sessions", "20", "--attempts", "0", "--save", file)...)
		harness.Loaded(t, a.ports[1], a.as(0, version, "--load", file, "--attempts", harness.Times(100))...)
	})
}

// A name whose policy is its default server's resumes its sessions, whatever its neighbours ask for.
func TestResumesBesideNamesThatVerify(t *testing.T) {
	eachPolicy(t, func(t *testing.T, version string, either bool) {
		a := newTwoAuthorities(t, either)
		a.do(a.Start)
		for _, port := range a.ports {
			r := harness.Loaded(t, port, few(version, "--sni", "b.test")...)
			if r.Resumed != r.Attempts {
				t.Errorf("resumed %d of %d", r.Resumed, r.Attempts)
			}
		}
	})
}

// A client whose certificate has been revoked does not come back with a session.
func TestRevokedClient(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		client, err := s.Authority.Issue("client.test")
		if err != nil {
			t.Fatal(err)
		}
		list := filepath.Join(s.Dir, "revoked.pem")
		s.Sites[0].Directives = fmt.Sprintf("ssl_verify_client on; ssl_client_certificate %s; ssl_crl %s;", s.Authority.CA, list)
		s.Sites[0].Location = answersOnly("client.test")
		s.do(func() error { return s.Authority.Revoke(list) })
		s.do(s.Start)
		old := s.pool(version, "--cert", client.Cert, "--key", client.Key)
		s.do(s.Stop)
		s.do(s.Start)
		s.resumes(append(old, "--attempts", harness.Times(200))...) // the list says nothing of it yet

		s.do(func() error { return s.Authority.Revoke(list, client) })
		s.do(s.Stop)
		s.do(s.Start)
		before := stats(t, url)[sessioncache.Hits]
		r, err := harness.Load(s.Port(), append(old, "--attempts", harness.Times(200))...)
		if err != nil {
			t.Fatal(err)
		}
		if r.Errors != r.Attempts || r.Resumed != 0 {
			t.Errorf("a revoked client: %+v", r)
		}
		if hits := stats(t, url)[sessioncache.Hits] - before; hits != 0 {
			t.Errorf("the store gave out %d sessions of a revoked client", hits)
		}
	})
}
