package nginx_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"gosess/tests/harness"
)

// addTwin adds a site with the first one's certificate, on a port of its own.
func (s *server) addTwin(name string) *harness.Site {
	s.t.Helper()
	twin, err := s.AddSite(name)
	if err != nil {
		s.t.Fatal(err)
	}
	twin.Cert = s.Sites[0].Cert
	return twin
}

// refusesAt wants full handshakes at that site, all of them.
func (s *server) refusesAt(site *harness.Site, arguments ...string) {
	s.t.Helper()
	if r := s.loadAt(site.Port, append(arguments, "--attempts", "100")...); r.Resumed != 0 || r.Attempts == 0 {
		s.t.Errorf("%v: resumed %d of %d", arguments, r.Resumed, r.Attempts)
	}
}

// Another name is another name on another listener too, though the certificate is the same.
func TestNoResumptionAcrossListeners(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, _ := withStore(t)
		second := s.addTwin("second.test")
		s.do(s.Start)
		old := s.pool(version, "--sni", "first.test")
		s.refusesAt(second, append(old, "--sni", "second.test")...)
		s.resumes(append(old, "--attempts", "100")...)
	})
}

// A listener whose cache is off resumes nothing, also of what was made beside it.
func TestSessionOfferedWhereTheCacheIsOff(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		off := s.addTwin("first.test")
		off.Directives = "ssl_session_cache off;"
		s.do(s.Start)
		old := s.pool(version)
		s.refusesAt(off, old...)
		noHits(t, url)
		s.resumes(append(old, "--attempts", "100")...)
	})
}

// A session is of one version: offered by a client that may use both, it is not resumed in the other.
func TestSessionOfAnotherVersion(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		other := s.addTwin("first.test")
		other.Directives = map[string]string{"1.2": "ssl_protocols TLSv1.3;", "1.3": "ssl_protocols TLSv1.2;"}[version]
		s.do(s.Start)
		old := s.pool(version)
		s.refusesAt(other, append(old, "--tls", "any")...)
		noHits(t, url)
		s.resumes(append(old, "--attempts", "100")...)
	})
}

// A session whose cipher the server has given up is not resumed.
func TestSessionOfAnotherCipherPolicy(t *testing.T) {
	policies := map[string][2]string{
		"1.2": {"ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;", "ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;"},
		"1.3": {"ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;", "ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;"},
	}
	each(t, func(t *testing.T, version string) {
		s, _ := withStore(t)
		s.Sites[0].Directives = policies[version][0]
		s.do(s.Start)
		old := s.pool(version)
		s.resumes(append(old, "--attempts", "100")...)
		s.Sites[0].Directives = policies[version][1]
		s.do(s.Reload)
		s.refuses(append(old, "--attempts", "100")...)
		s.resumes(few(version)...)
	})
}

// expires wants the sessions to be resumed no more, soon. What was resumed is saved, so that
// the next round offers the newest ticket of each chain.
func (s *server) expires(old ...string) {
	s.t.Helper()
	file := old[3] // --tls VERSION --load FILE
	s.do(func() error {
		return harness.WaitFor("the sessions to expire", func() bool {
			return s.load(append(old, "--attempts", "200", "--save", file)...).Resumed == 0
		})
	})
}

// The server's timeout is the end of a session, however often it is resumed.
func TestExpires(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		s.Sites[0].Directives = "ssl_session_timeout 3s;"
		s.do(s.Start)
		s.expires(s.pool(version)...)
		if got := stats(t, url); got.Hits == 0 {
			t.Error("nothing was resumed while it could be")
		}
	})
}

// A session that was stored for a short time is not given a longer one by a restart.
func TestExpiresAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		s.Sites[0].Directives = "ssl_session_timeout 3s;"
		s.do(s.Start)
		old := s.pool(version)
		s.do(s.Stop)
		s.Sites[0].Directives = "ssl_session_timeout 1h;"
		s.do(s.Start)
		// In TLS 1.3 a new session of a resumed connection is no older chain's.
		s.expires(old...)
		if got := stats(t, url); got.Hits == 0 {
			t.Error("nothing was resumed while it could be")
		}
	})
}

// A session of a client that nginx finds it cannot trust is taken out of the store.
func TestRemovedAfterFailedVerification(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		dir := filepath.Join(s.Dir, "stranger")
		stranger := s.newAuthority(dir)
		client, err := stranger.Issue("client.test")
		if err != nil {
			t.Fatal(err)
		}
		// An answer of 200, so that the load client keeps the session.
		s.Sites[0].Directives = fmt.Sprintf(
			"ssl_verify_client on; ssl_client_certificate %s; error_page 495 =200 @refused;", s.Authority.CA)
		s.Sites[0].Location = "return 200 ok; } location @refused { return 200 refused;"
		s.do(s.Start)
		old := s.pool(version, "--cert", client.Cert, "--key", client.Key, "--sessions", "20")
		if got := stats(t, url); got.Stores == 0 || got.Removals == 0 {
			t.Errorf("the store says %+v", got)
		}
		s.refuses(append(old, "--attempts", "100")...)
		noHits(t, url)
	})
}
