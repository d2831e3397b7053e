package more_test

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// A registered user of a Mumble server is known by his certificate, whether he comes with a session or not, and is nobody else.
func TestMumbleUser(t *testing.T) {
	harness.NeedBuild(t)
	harness.OnlyWhereAll(t) // it takes long to start
	for _, cache := range []string{"", "memory:?size=4m", file} {
		t.Run("cache "+cache, func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			p := mumble(t, site)
			if cache != "" {
				p.Env = with(t, cache)(site.dir)
			}
			p.Problem = trouble
			harness.StartFor(t, p.Subject())
			for _, version := range []string{"1.2", "1.3"} {
				certificate, key := filepath.Join(site.dir, version+".pem"), filepath.Join(site.dir, version+".key")
				selfSigned := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
					"-subj", "/CN=tester", "-keyout", key, "-out", certificate)
				if output, err := selfSigned.CombinedOutput(); err != nil {
					t.Fatalf("openssl: %v: %s", err, output)
				}
				user := exec.Command("python3", filepath.Join("testdata", "mumble.py"), strconv.Itoa(site.port), version, "tester"+version, certificate, key)
				output, err := user.CombinedOutput()
				lines := strings.Split(strings.TrimSpace(string(output)), "\n")
				if err != nil || len(lines) != 4 || strings.Join(lines[:3], " ") != "in in in" || !strings.HasPrefix(lines[3], "rejected: ") {
					t.Errorf("TLS %s: %v: %s", version, err, output)
				}
			}
		})
	}
}
