package nginx_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// A session that was stored for a short time is not given a longer one by a restart.
func TestExpiresAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		harness.Expiring(t, func(seconds int) bool {
			s, url := withStore(t)
			s.Sites[0].Directives = fmt.Sprintf("ssl_session_timeout %ds;", seconds)
			s.do(s.Start)
			old := s.pool(version)
			s.do(s.Stop)
			s.Sites[0].Directives = "ssl_session_timeout 1h;"
			s.do(s.Start)
			// In TLS 1.3 a new session of a resumed connection is no older chain's.
			return harness.Guest{T: t, Store: url, Port: s.Port(), Arguments: old[:2]}.Expires(old[3])
		})
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
		if got := stats(t, url); got[sessioncache.Stores] == 0 || got[sessioncache.Removals] == 0 {
			t.Errorf("the store says %+v", got)
		}
		s.refuses(append(old, "--attempts", harness.Times(100))...)
		noHits(t, url)
	})
}

// noHits wants the store to have kept its sessions to itself: libssl alone would refuse
// them too, by the session id context that nginx sets.
func noHits(t *testing.T, url string) {
	t.Helper()
	if got := stats(t, url); got[sessioncache.Hits] != 0 {
		t.Errorf("the store gave out %d sessions", got[sessioncache.Hits])
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
		r := s.resumes("--tls", version, "--sessions", harness.Times(50), "--attempts", harness.Times(500))
		// Beyond the client's hits there are those of the connections to the upstream.
		if got := stats(t, url); got[sessioncache.Hits] < uint64(r.Resumed)+uint64(r.Handshakes)/2 {
			t.Errorf("the client saw %d hits in %d handshakes, the store %+v", r.Resumed, r.Handshakes, got)
		}
	})
}
