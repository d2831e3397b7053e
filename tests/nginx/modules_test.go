package nginx_test

import (
	"fmt"
	"strings"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// listens is a port and the directives of a listener with the first site's certificate.
func (s *server) listens() (port int, directives string) {
	s.t.Helper()
	port, err := harness.FreePort()
	if err != nil {
		s.t.Fatal(err)
	}
	return port, fmt.Sprintf(`listen 127.0.0.1:%d ssl;
        ssl_certificate %s;
        ssl_certificate_key %s;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_tickets off;`, port, s.Sites[0].Cert.Cert, s.Sites[0].Cert.Key)
}

// loadModule is the directive that loads one of Debian's dynamic modules.
func loadModule(name string) string {
	return "load_module /usr/lib/nginx/modules/ngx_" + name + "_module.so;\n"
}

// Streams that nginx takes the TLS from are resumed like requests, also after a reload. They are
// handed on through TLS too.
func TestStream(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		port, directives := s.listens()
		s.Main = loadModule("stream") + fmt.Sprintf("stream { server { %s\nproxy_pass 127.0.0.1:%d; proxy_ssl on; } }\n", directives, s.Port())
		s.do(s.Start)
		r := harness.Loaded(t, port, few(version)...)
		if r.Resumed != r.Attempts {
			t.Errorf("resumed %d of %d", r.Resumed, r.Attempts)
		}
		if got := stats(t, url); got[sessioncache.Hits] < uint64(r.Resumed) || got[sessioncache.Stores] < uint64(r.Sessions) {
			t.Errorf("the client saw %d hits, the store %+v", r.Resumed, got)
		}
		old := s.poolAt(port, version)
		s.do(s.Reload)
		if r := harness.Loaded(t, port, append(old, "--attempts", harness.Times(400))...); r.Resumed != r.Attempts {
			t.Errorf("resumed %d of %d after a reload", r.Resumed, r.Attempts)
		}
	})
}

// So are connections for mail, where the server speaks first.
func TestMail(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		port, directives := s.listens()
		s.Main = loadModule("mail") + fmt.Sprintf("mail { auth_http 127.0.0.1:1/; server { protocol imap; %s } }\n", directives)
		s.do(s.Start)
		r := harness.Loaded(t, port, few(version, "--greeting")...)
		if got := stats(t, url); r.Resumed != r.Attempts || got[sessioncache.Hits] != uint64(r.Resumed) {
			t.Errorf("the client saw %d hits of %d, the store %+v", r.Resumed, r.Attempts, got)
		}
		// Few: nginx lets a greeting that comes after tickets wait for the client's acknowledgement.
		old := s.poolAt(port, version, "--greeting", "--sessions", "20")
		s.do(s.Reload)
		if r := harness.Loaded(t, port, append(old, "--attempts", harness.Times(100))...); r.Resumed != r.Attempts {
			t.Errorf("resumed %d of %d after a reload", r.Resumed, r.Attempts)
		}
	})
}

// nginx as a client of another server resumes its own sessions as often with gosess as without.
func TestUpstreamCountsTheSame(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		count := func(preloaded bool) uint64 {
			upstream, itsStore := withStore(t)
			upstream.do(upstream.Start)
			s, url := withStore(t)
			s.WorkerCount = 1
			s.Sites[0].Location = fmt.Sprintf(
				"proxy_pass https://127.0.0.1:%d; proxy_ssl_protocols TLSv%s;", upstream.Port(), version)
			if !preloaded {
				s.Env = nil
			}
			s.do(s.Start)
			r := s.load(few(version, "--threads", "1")...)
			if !preloaded {
				return stats(t, itsStore)[sessioncache.Hits]
			}
			if got := stats(t, url); got[sessioncache.Stores] != uint64(r.Tickets) || got[sessioncache.Hits] != uint64(r.Resumed) {
				t.Errorf("the client saw %+v, the store %+v: it holds what nginx has as a client", r, got)
			}
			return stats(t, itsStore)[sessioncache.Hits]
		}
		without, with := count(false), count(true)
		t.Logf("the upstream resumed %d connections of nginx, %d with gosess", without, with)
		if without == 0 || with != without {
			t.Errorf("the upstream resumed %d connections of nginx, %d with gosess", without, with)
		}
	})
}

// nginx starts its new program with no more of its environment than nginx.conf names.
func TestBinaryUpgrade(t *testing.T) {
	for name, tickets := range map[string]bool{"environment kept": false, "environment and tickets kept": true, "environment lost": false} {
		t.Run(name, func(t *testing.T) {
			keeps := name != "environment lost"
			each(t, func(t *testing.T, version string) {
				s, _ := withStore(t)
				if s.Tickets = tickets; tickets {
					s.Env = harness.WithTickets(s.Env, "shared")
				}
				if keeps {
					var err error
					if s.Main, err = harness.Block("nginx", "conf"); err != nil {
						t.Fatal(err)
					}
				}
				s.do(s.Start)
				old := s.pool(version)
				s.do(s.Upgrade)
				for _, worker := range s.Workers() {
					if worker.Maps("libgosess.so") != keeps {
						t.Errorf("gosess is in a worker: %v", !keeps)
					}
				}
				if keeps {
					s.resumes(append(old, "--attempts", harness.Times(400))...)
					s.resumes(few(version)...)
				} else {
					s.refuses(append(old, "--attempts", harness.Times(200))...)
				}
				// The new program is as good as the old one.
				s.do(s.Reload)
			})
		})
	}
}

// What nginx -t and a start say of a URL with a mistake is the same, and both go on.
func TestConfigurationTestWithABadURL(t *testing.T) {
	s := newServer(t, "shm:?sice=64m")
	s.says = 1
	s.do(s.Test)
	for _, line := range s.Said() {
		if !strings.Contains(line, `"sice"`) || !strings.Contains(line, "size") {
			t.Errorf("the line does not say what is wrong: %s", line)
		}
	}
	if !strings.Contains(s.Log(), "test is successful") {
		t.Error("nginx -t did not say so")
	}
}
