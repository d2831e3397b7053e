package nginx_test

import (
	"fmt"
	"path/filepath"
	"testing"
)

// A session is resumed for the name that it was made for, and for no other.
func TestNoResumptionAcrossNames(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t, anonymous)
		second, err := s.AddSite("second.test")
		if err != nil {
			t.Fatal(err)
		}
		second.Port = s.Port() // told apart by the server name alone
		s.do(s.Start)
		first := s.pool(version)
		named := s.pool(version, "--sni", "first.test")
		s.resumes(named...)
		s.refuses(append(named, "--sni", "second.test", "--attempts", "200")...)
		s.refuses(append(first, "--sni", "second.test", "--attempts", "200")...)
		s.resumes(append(named, "--attempts", "200")...)
		s.resumes(few(version, "--sni", "second.test")...)
	})
}

// Nor across certificates, where the name is the same but the port is not.
func TestNoResumptionAcrossCertificates(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		other, err := s.AddSite("other.test")
		if err != nil {
			t.Fatal(err)
		}
		other.Name = "first.test"
		s.do(s.Start)
		pool := s.pool(version, "--sni", "first.test")
		r := s.loadAt(s.Sites[1].Port, append(pool, "--attempts", "200")...)
		if r.Resumed != 0 {
			t.Errorf("another certificate resumed %d", r.Resumed)
		}
		noHits(t, url)
		s.resumes(pool...)
	})
}

// A server that asks for client certificates resumes its own sessions, and none that were
// made without one.
func TestClientCertificates(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		client, err := s.Authority.Issue("client.test")
		if err != nil {
			t.Fatal(err)
		}
		open, err := s.AddSite("open.test")
		if err != nil {
			t.Fatal(err)
		}
		open.Name, open.Cert = s.Sites[0].Name, s.Sites[0].Cert
		s.Sites[0].Directives = fmt.Sprintf("ssl_verify_client on; ssl_client_certificate %s;", s.Authority.CA)
		s.do(s.Start)

		unverified := filepath.Join(t.TempDir(), "sessions")
		s.loadAt(s.Sites[1].Port, "--tls", version, "--attempts", "0", "--save", unverified)
		with := []string{"--tls", version, "--cert", client.Cert, "--key", client.Key}
		s.refuses(append(with, "--load", unverified, "--attempts", "200")...)
		noHits(t, url)
		s.resumes(append(with, "--attempts", "400")...)
	})
}

// noHits wants the store to have kept its sessions to itself: libssl alone would refuse
// them too, by the session id context that nginx sets.
func noHits(t *testing.T, url string) {
	t.Helper()
	if got := stats(t, url); got.Hits != 0 {
		t.Errorf("the store gave out %d sessions", got.Hits)
	}
}

// nginx as a client of another server keeps its sessions as it always does.
func TestUpstreamConnections(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		upstream, err := s.AddSite("upstream.test")
		if err != nil {
			t.Fatal(err)
		}
		s.Sites[0].Location = fmt.Sprintf(
			"proxy_pass https://127.0.0.1:%d; proxy_ssl_protocols TLSv%s;", upstream.Port, version)
		s.do(s.Start)
		r := s.resumes("--tls", version, "--sessions", "50", "--attempts", "500")
		// Beyond the client's hits there are those of the connections to the upstream.
		if got := stats(t, url); got.Hits < uint64(r.Resumed)+uint64(r.Handshakes)/2 {
			t.Errorf("the client saw %d hits in %d handshakes, the store %+v", r.Resumed, r.Handshakes, got)
		}
	})
}
