package nginx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

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
	both := filepath.Join(s.Dir, "both.pem")
	if either {
		public.Directives = "ssl_verify_client optional; ssl_client_certificate " + both + ";"
	}
	s.Sites = nil
	for i, name := range []string{"one", "two"} {
		dir := filepath.Join(s.Dir, name)
		authority := s.newAuthority(dir)
		if a.clients[i], err = authority.Issue(name + ".client"); err != nil {
			t.Fatal(err)
		}
		appendTo(t, both, authority.CA)
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

func appendTo(t *testing.T, path, from string) {
	t.Helper()
	before, _ := os.ReadFile(path)
	more, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(before)+string(more))
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

// A session of a client whom one authority vouches for is worth nothing where another is asked,
// though the default servers, from whose contexts the handshakes begin, are alike.
func TestNoResumptionAcrossAuthorities(t *testing.T) {
	eachPolicy(t, func(t *testing.T, version string, either bool) {
		a := newTwoAuthorities(t, either)
		a.do(a.Start)
		for from := range a.ports {
			to := 1 - from
			file := filepath.Join(t.TempDir(), "sessions")
			a.loadAt(a.ports[from], a.as(from, version, "--sessions", "20", "--attempts", "0", "--save", file)...)
			// Had the session been resumed, the client would be the one that made it, and be refused.
			r := a.loadAt(a.ports[to], a.as(to, version, "--load", file, "--attempts", "100")...)
			if r.Resumed != 0 {
				t.Errorf("port %d resumed %d sessions of port %d", to, r.Resumed, from)
			}
			// Nor may a client get in with nothing but its session.
			r, err := harness.Load(a.ports[to], a.as(from, version, "--load", file, "--attempts", "100")...)
			if err != nil {
				t.Fatal(err)
			}
			if r.Errors != r.Attempts {
				t.Errorf("port %d let %d clients of port %d in", to, r.Attempts-r.Errors, from)
			}
			a.loadAt(a.ports[from], a.as(from, version, "--load", file, "--attempts", "100")...)
		}
	})
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
		a.loadAt(a.ports[0], a.as(0, version, "--sessions", "20", "--attempts", "0", "--save", file)...)
		a.loadAt(a.ports[1], a.as(0, version, "--load", file, "--attempts", "100")...)
	})
}

// A name whose policy is its default server's resumes its sessions, whatever its neighbours ask for.
func TestResumesBesideNamesThatVerify(t *testing.T) {
	eachPolicy(t, func(t *testing.T, version string, either bool) {
		a := newTwoAuthorities(t, either)
		a.do(a.Start)
		for _, port := range a.ports {
			r := a.loadAt(port, few(version, "--sni", "b.test")...)
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
		s.resumes(append(old, "--attempts", "200")...) // the list says nothing of it yet

		s.do(func() error { return s.Authority.Revoke(list, client) })
		s.do(s.Stop)
		s.do(s.Start)
		before := stats(t, url).Hits
		r, err := harness.Load(s.Port(), append(old, "--attempts", "200")...)
		if err != nil {
			t.Fatal(err)
		}
		if r.Errors != r.Attempts || r.Resumed != 0 {
			t.Errorf("a revoked client: %+v", r)
		}
		if hits := stats(t, url).Hits - before; hits != 0 {
			t.Errorf("the store gave out %d sessions of a revoked client", hits)
		}
	})
}
