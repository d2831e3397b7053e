package languages_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// startNode starts a server in Node.js, in its system, with a directory there.
func startNode(t *testing.T, system harness.System, dir, sessions string, env []string) *process {
	t.Helper()
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "server.js"))
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "server.js")
	if err := os.WriteFile(script, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return startCommand(t, env, func(port string) *exec.Cmd {
		cmd := exec.Command("/usr/bin/node", script, port, pem, sessions)
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: system.Root}
		cmd.Dir = "/"
		return cmd
	})
}

// account is what clients see of a server whose sessions are no tickets.
func (p *process) account() (text string) {
	p.t.Helper()
	for _, client := range harness.Clients {
		r := p.load(append([]string{"--tls", client.Version, "--sessions", "20", "--attempts", "40"}, client.Arguments...)...)
		text += fmt.Sprintf("%s: resumed %d of %d\n", client.Name, r.Resumed, r.Attempts)
	}
	p.end()
	return text + p.output.String()
}

// Node asks the program alone which session to resume: one that it does not know, or does not want, is none, whoever else has it, and
// whatever the URL says.
func TestNode(t *testing.T) {
	system := versions.Node(t)
	for _, sessions := range []string{"", "keeps", "refuses"} {
		t.Run(strings.TrimSpace("node "+sessions), func(t *testing.T) {
			t.Parallel()
			harness.Alike(t, func(t *testing.T, _ string, env []string) string {
				dir := system.TempDir(t)
				return startNode(t, system, dir, sessions, inside(env, dir)).account()
			})
		})
	}
}

// inside is the environment with a store that lies in dir, where it has a path, and that would be asked after Node.
func inside(env []string, dir string) (there []string) {
	for _, entry := range env {
		if before, _, found := strings.Cut(entry, "shm:/"); found {
			entry = before + "shm:" + filepath.Join(dir, "store") + "?size=4m&tier=second"
		}
		there = append(there, entry)
	}
	return there
}
