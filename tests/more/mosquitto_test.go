package more_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// mosquitto's clients that the page says are resumed by the process that they came to first, and not after a restart: those that a
// folder of authorities vouches for, and those that are known by a pre-shared key. So it is without gosess.
func TestKnownClients(t *testing.T) {
	t.Parallel()
	harness.NeedBuild(t)
	for name, variables := range map[string]func(string) []string{"without": without, "page": server{}.page(t)} {
		t.Run(name+"/capath", func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			client := s.authorities(t)
			p := s.program(t, "listener @PORT@ 127.0.0.1\ncertfile @CERT@\nkeyfile @KEY@\ncapath @DIR@/authorities\nrequire_certificate true\n"+
				"allow_anonymous true\nlog_dest stderr\n", "/usr/sbin/mosquitto", "-c", "@DIR@/server.conf")
			for i, c := range harness.Clients {
				file := filepath.Join(s.dir, fmt.Sprint("sessions", i))
				load := func(arguments ...string) harness.Result {
					t.Helper()
					arguments = append(append(arguments, "--tls", c.Version, "--until-end", "--cert", client.Cert, "--key", client.Key), c.Arguments...)
					return harness.Loaded(t, s.port, arguments...)
				}
				comesBack(t, p, variables(s.dir), func() bool {
					load("--sessions", "10", "--attempts", "0", "--save", file)
					r := load("--load", file, "--attempts", "20")
					return r.Resumed == r.Attempts
				}, func() bool { return load("--load", file, "--attempts", "20").Resumed == 0 })
			}
		})
		t.Run(name+"/psk_file", func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			keys := filepath.Join(s.dir, "keys")
			if err := os.WriteFile(keys, []byte("client:00112233\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			p := s.program(t, "listener @PORT@ 127.0.0.1\npsk_hint first\npsk_file "+keys+"\nallow_anonymous true\nlog_dest stderr\n",
				"/usr/sbin/mosquitto", "-c", "@DIR@/server.conf")
			session := filepath.Join(s.dir, "session")
			// TLS 1.2: in 1.3 the key itself is what s_client calls a session.
			reused := func(option string) bool {
				t.Helper()
				output, err := exec.Command("openssl", "s_client", "-connect", fmt.Sprint("127.0.0.1:", s.port), "-tls1_2", "-noservername",
					"-psk", "00112233", "-psk_identity", "client", option, session).CombinedOutput()
				said := regexp.MustCompile(`(?m)^(New|Reused), TLSv1.2`).FindString(string(output))
				if said == "" {
					t.Fatalf("%v: %s", err, output)
				}
				return strings.HasPrefix(said, "Reused")
			}
			comesBack(t, p, variables(s.dir), func() bool { return !reused("-sess_out") && reused("-sess_in") },
				func() bool { return !reused("-sess_in") })
		})
	}
}

// comesBack wants one answer of the process that made the sessions, and one of the next.
func comesBack(t *testing.T, p *harness.Program, env []string, first, next func() bool) {
	t.Helper()
	p.Env, p.Problem = env, trouble
	for when, holds := range []func() bool{first, next} {
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		held := holds()
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		if !held {
			t.Errorf("%s: not so\n%s", []string{"while it runs", "after a restart"}[when], p.Log())
		}
	}
}

// authorities makes a folder of them, and a client of one.
func (s site) authorities(t *testing.T) harness.Certificate {
	t.Helper()
	folder := filepath.Join(s.dir, "authorities")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	authority, err := harness.NewAuthority(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(authority.CA, 0o644); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("openssl", "rehash", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	client, err := authority.Issue("client")
	if err != nil {
		t.Fatal(err)
	}
	return client
}
