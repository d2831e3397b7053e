package nginx_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// The store says why sessions stay in the process that made them, as often as the load client was given some.
func TestKeptHasReasons(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, url := withStore(t)
		s.SessionCache = "builtin" // else nginx has libssl keep none
		s.Unprivileged = true      // workers read keys that variables name
		s.Env = append(s.Env, "GOSESS_LOG=off")
		plain, err := s.Authority.Issue("client.test")
		must(t, err)
		large, err := s.Authority.IssueLarge("large.test", 300)
		must(t, err)
		chain := filepath.Join(s.Dir, "chain.pem")
		both, err := exec.Command("cat", plain.Cert, s.Authority.CA).Output()
		must(t, err)
		write(t, chain, string(both))
		s.Sites[0].Directives = verifies(s.Authority)
		variable := s.addName(s.Sites[0].Port, "second.test")
		directory := filepath.Dir(variable.Cert.Cert)
		variable.Directives = fmt.Sprintf("ssl_certificate %s/$ssl_server_name.pem; ssl_certificate_key %s/$ssl_server_name.key;", directory, directory)
		s.do(s.Start)
		for _, c := range []struct {
			what      string
			arguments []string
			reason    sessioncache.Counter
			kept      bool
		}{
			{"one certificate", []string{"--cert", plain.Cert, "--key", plain.Key}, 0, false},
			{"more than one", []string{"--cert", chain, "--key", plain.Key}, sessioncache.KeptChain, true},
			{"a large one", []string{"--cert", large.Cert, "--key", large.Key}, sessioncache.KeptLarge, true},
			{"the server's by a variable", []string{"--sni", "second.test"}, sessioncache.KeptUnknown, true},
		} {
			before := stats(t, url)
			r := harness.Loaded(t, s.Port(), append([]string{"--tls", version, "--sessions", "20", "--attempts", "0"}, c.arguments...)...)
			after := stats(t, url)
			var want harness.Stats
			want[sessioncache.Stores] = uint64(r.Tickets)
			if c.kept {
				want[c.reason] = uint64(r.Tickets)
			}
			if c.reason == sessioncache.KeptLarge {
				want[sessioncache.TooBig] = uint64(r.Tickets)
			}
			var got harness.Stats
			for counter := range got {
				got[counter] = after[counter] - before[counter]
			}
			if got != want || r.Tickets < 20 {
				t.Errorf("%s: %d sessions, counted %v, not %v", c.what, r.Tickets, got, want)
			}
		}
	})
}
