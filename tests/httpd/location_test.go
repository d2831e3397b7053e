package httpd_test

import (
	"fmt"
	"maps"
	"testing"

	"gosess/tests/harness"
)

// private is a server that asks for a client's certificate only below /private: by a renegotiation in TLS 1.2, after the handshake
// in 1.3. mod_ssl sets its demand on the connection then, so what a shared store holds would not be all that there is to the session.
type private struct {
	*server
	client []string // shows its certificate
}

// newPrivate is one with one child, which knows all sessions, and with httpd's own cache or none.
func newPrivate(t *testing.T, cache string, preloaded bool) *private {
	t.Helper()
	s := newServer(t)
	if !preloaded {
		s.Env = nil
	}
	s.WorkerCount = 1
	s.SSL = "SSLSessionCache " + cache + "\nSSLSessionTickets off"
	site := &s.Sites[0]
	site.Directives = "SSLCACertificateFile " + s.Authority.CA + `
    <Location /private>
        SSLVerifyClient require
    </Location>`
	site.Location = fmt.Sprintf("AliasMatch ^/(private)?$ %s", s.Answer())
	client, err := s.Authority.Issue("client.test")
	if err != nil {
		t.Fatal(err)
	}
	return &private{s, []string{"--cert", client.Cert, "--key", client.Key}}
}

// resumed is how many of 40 handshakes resumed a session, for each page that it was made for and that was asked for with it.
func (p *private) resumed(version string) map[string]int {
	p.t.Helper()
	got := map[string]int{}
	for _, made := range []string{"/", "/private"} {
		old := p.pool(version, append(p.client, "--get", made)...)
		for _, asked := range []string{"/", "/private"} {
			r := p.load(append(old, "--get", asked, "--attempts", "40")...)
			got[made+" then "+asked] = r.Resumed
		}
	}
	return got
}

// Sessions of such a place are resumed as often as by httpd's own cache without gosess, behind that cache and without it.
func TestVerificationInALocation(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		count := func(cache string, preloaded bool) map[string]int {
			p := newPrivate(t, cache, preloaded)
			p.do(p.Start)
			return p.resumed(version)
		}
		const own = "shmcb:${APACHE_RUN_DIR}/ssl_scache(512000)" // Debian's
		without := count(own, false)
		if with := count(own, true); !maps.Equal(with, without) {
			t.Errorf("behind httpd's own cache: resumed %v, and %v without gosess", with, without)
		}
		// As the only cache, gosess shares no session of a connection that has been made to verify its client,
		// and httpd has forbidden to keep any in the process. In TLS 1.3 a client offers the newest.
		none, with := count("nonenotnull", false), count("nonenotnull", true)
		for what, n := range with {
			if n < none[what] || n > without[what] || version == "1.2" && n != without[what] {
				t.Errorf("as the only cache: resumed %v, %v without gosess, and %v with httpd's own cache", with, none, without)
				break
			}
		}
	})
}

// Who shows no certificate does not get into such a place with a session.
func TestNoWayIntoALocation(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		p := newPrivate(t, "nonenotnull", true)
		p.says = "[ssl:error]" // httpd logs each
		p.do(p.Start)
		old := p.pool(version)
		r, err := harness.Load(p.Port(), append(old, "--get", "/private", "--attempts", "40")...)
		if err != nil {
			t.Fatal(err)
		}
		if r.Attempts == 0 || r.Errors != r.Attempts {
			t.Errorf("let %d of %d in", r.Handshakes, r.Attempts)
		}
	})
}
