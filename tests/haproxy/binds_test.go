package haproxy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gosess/tests/harness"
)

// HAProxy's session id context is the same for all that it listens on, so that nothing but gosess keeps a session
// of clients whom one authority vouches for from where another is asked (S7).
func TestNoResumptionAcrossAuthorities(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t)
		second, err := harness.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		ports := []int{s.Port, second}
		var binds []string
		var clients [][]string
		for _, name := range []string{"one", "two"} {
			dir := filepath.Join(s.Dir, name)
			s.do(func() error { return os.Mkdir(dir, 0o755) })
			authority, err := harness.NewAuthority(dir)
			if err != nil {
				t.Fatal(err)
			}
			client, err := authority.Issue(name + ".client")
			if err != nil {
				t.Fatal(err)
			}
			binds = append(binds, "ca-file "+authority.CA+" verify required")
			clients = append(clients, []string{"--tls", version, "--cert", client.Cert, "--key", client.Key})
		}
		s.Bind = binds[0]
		s.Sections = fmt.Sprintf(`
frontend second
    bind 127.0.0.1:%d ssl crt %s no-tls-tickets ssl-min-ver TLSv1.2 %s
    http-request return status 200 content-type text/plain string ok
`, second, s.CertAndKey(), binds[1])
		s.do(s.Start)
		for from, port := range ports {
			to := 1 - from
			file := filepath.Join(t.TempDir(), "sessions")
			s.loadAt(port, append(clients[from], "--sessions", "20", "--attempts", "0", "--save", file)...)
			// HAProxy's own cache is in its way first: what it gives out it gives out without gosess too.
			s.do(s.Reload)
			before := s.hits()
			r := s.loadAt(ports[to], append(clients[to], "--load", file, "--attempts", "100")...)
			if hits := s.hits() - before; r.Resumed != 0 || hits != 0 {
				t.Errorf("the other port resumed %d sessions, the store gave out %d", r.Resumed, hits)
			}
			r = s.loadAt(port, append(clients[from], "--load", file, "--attempts", "100")...)
			if r.Resumed != r.Attempts {
				t.Errorf("resumed %d of %d", r.Resumed, r.Attempts)
			}
		}
	})
}

// HAProxy as a client of another server resumes its own sessions as often with gosess as without.
func TestBackendCountsTheSame(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		count := func(preloaded bool) uint64 {
			upstream, err := harness.NewNginx(harness.TempDir(t))
			if err != nil {
				t.Fatal(err)
			}
			store := "shm:" + filepath.Join(upstream.Dir, "store")
			if upstream.Env, err = harness.Preload(store + "?size=4m"); err != nil {
				t.Fatal(err)
			}
			defer upstream.Stop()
			s := newServer(t)
			s.Threads = 1
			s.Respond = "default_backend upstream"
			s.Sections = fmt.Sprintf(`
backend upstream
    http-reuse never
    option httpclose
    server one 127.0.0.1:%d ssl verify none ssl-min-ver TLSv%s ssl-max-ver TLSv%s
`, upstream.Port(), version, version)
			if !preloaded {
				s.Env = nil
			}
			s.do(upstream.Start)
			s.do(s.Start)
			s.resumes("--tls", "1.2", "--sessions", "20", "--attempts", "100", "--threads", "1")
			got, err := harness.ReadStats(store)
			if err != nil {
				t.Fatal(err)
			}
			return got.Hits
		}
		without, with := count(false), count(true)
		t.Logf("the upstream resumed %d connections of HAProxy, %d with gosess", without, with)
		if without == 0 || with != without {
			t.Errorf("the upstream resumed %d connections of HAProxy, %d with gosess", without, with)
		}
	})
}
