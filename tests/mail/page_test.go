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
		p, client := preparedWith(t, "shared", harness.TempDir(t), "smtpd_tls_protocols = TLSv"+version)
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

// What the pages repeat of the servers' defaults is what the installed ones have.
func TestPagesKnowTheDefaultEnvironment(t *testing.T) {
	for server, beginning := range map[string]string{"dovecot": "doveconf -d", "postfix": "postconf -d"} {
		words, err := harness.PageCommand(server, beginning)
		if err != nil {
			t.Fatal(err)
		}
		output, err := exec.Command(words[0], words[1:]...).Output()
		if err != nil {
			t.Fatalf("%q: %v", words, err)
		}
		block, err := harness.Block(server, "conf")
		if err != nil {
			t.Fatal(err)
		}
		if standard, _, _ := strings.Cut(block, " LD_PRELOAD="); standard != strings.TrimSpace(string(output)) {
			t.Errorf("docs/servers/%s.md has\n%s\nand %q says\n%s", server, standard, words, output)
		}
	}
}
