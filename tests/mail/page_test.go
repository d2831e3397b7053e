package mail_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// The page's two lines make a session and see it resumed, in either version of TLS.
func TestPageSeesAResumption(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		p, client := prepared(t, harness.TempDir(t), version, "smtpd_tls_protocols = TLSv"+version)
		p.start(t)
		lines, err := harness.PageLines("postfix", "echo QUIT | openssl s_client")
		if err != nil || len(lines) != 2 {
			t.Fatalf("%q %v", lines, err)
		}
		here := strings.NewReplacer("HOST:25", fmt.Sprint("127.0.0.1:", client.Port), "/tmp/session", filepath.Join(p.Dir, "session"))
		for i, line := range lines {
			output, err := exec.Command("sh", "-c", here.Replace(line)).CombinedOutput()
			if err != nil || strings.Contains(string(output), "\nReused, ") != (i == 1) {
				t.Errorf("%s: %v\n%s", line, err, output)
			}
		}
	})
}
