package radius_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// newFreeRADIUS is one that is not yet started, with its cache on. Only where that persists it resumes anything: what its own
// callback does not find is no session that it knows.
func newFreeRADIUS(t *testing.T, dir string, env []string, persists bool) *harness.Program {
	t.Helper()
	certificates(t, dir)
	port, err := harness.FreeUDPPort()
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(dir, "cache")
	if err := os.Mkdir(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	persist := ""
	if persists {
		persist = "persist_dir = " + cache
	}
	config, err := os.ReadFile(filepath.Join("testdata", "radiusd.conf"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("@DIR@", dir, "@PORT@", fmt.Sprint(port), "@PERSIST@", persist).Replace(string(config))
	for name, text := range map[string]string{
		"radiusd.conf": text,
		"users":        "user Cleartext-Password := \"secret\"\n",
		"dictionary":   "$INCLUDE /usr/share/freeradius/dictionary\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &harness.Program{
		Dir: dir, Port: port, UDP: true, Env: env, Line: []string{"/usr/sbin/freeradius", "-f", "-d", dir, "-n", "radiusd"},
		StopWith: syscall.SIGTERM, Logs: []string{filepath.Join(dir, "radius.log")}, Problem: regexp.MustCompile(`: Error: `),
	}
}

// eachPersistence runs a test with FreeRADIUS' cache in memory, and in a directory.
func eachPersistence(t *testing.T, test func(t *testing.T, persists bool)) {
	for name, persists := range map[string]bool{"not persistent": false, "persistent": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, persists)
		})
	}
}

// Who comes back is let in as without gosess, resumed or not, and with the same attributes; and FreeRADIUS, which writes to
// slots of an SSL that it has not reserved, lives.
func TestFreeRADIUS(t *testing.T) {
	eachPersistence(t, func(t *testing.T, persists bool) {
		harness.Alike(t, func(t *testing.T, dir string, env []string) string {
			p := newFreeRADIUS(t, dir, env, persists)
			end := start(t, p)
			var account string
			for _, method := range methods {
				account += visits(t, p, method)
			}
			if env == nil && strings.Contains(account, "resumed=1") != persists {
				t.Errorf("FreeRADIUS without gosess: %s", account)
			}
			return account + end()
		})
	})
}

// A handshake of EAP-TTLS whose client never says who it is makes a session that is good for nothing: FreeRADIUS' callback does
// not find it, and that is a refusal.
func TestFreeRADIUSWithoutCredentials(t *testing.T) {
	eachPersistence(t, func(t *testing.T, persists bool) {
		harness.Alike(t, func(t *testing.T, dir string, env []string) string {
			p := newFreeRADIUS(t, dir, env, persists)
			end := start(t, p)
			output, err := exec.Command("python3", filepath.Join("testdata", "ttls.py"), fmt.Sprint(p.Port), filepath.Join(dir, "ca.pem")).CombinedOutput()
			if strings.Contains(string(output), "code 2") {
				t.Errorf("let in without credentials: %s", output)
			}
			return fmt.Sprintf("%s%v\n%s", output, err, end())
		})
	})
}
