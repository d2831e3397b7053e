package haproxy_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

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
			s.resumes("--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(100), "--threads", "1")
			got, err := harness.ReadStats(store)
			if err != nil {
				t.Fatal(err)
			}
			return got[sessioncache.Hits]
		}
		without, with := count(false), count(true)
		t.Logf("the upstream resumed %d connections of HAProxy, %d with gosess", without, with)
		if without == 0 || with != without {
			t.Errorf("the upstream resumed %d connections of HAProxy, %d with gosess", without, with)
		}
	})
}
