// Package hitch_test runs Debian's unmodified hitch with gosess preloaded.
package hitch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// newHitch is a hitch with those workers, and more lines, that is not yet started. Where it is root it drops its
// rights, as Debian's does, and takes an empty directory for the root of all files.
func newHitch(t *testing.T, dir string, workers int, env []string, lines ...string) (*harness.Program, error) {
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		return nil, err
	}
	port, err := harness.FreePort()
	if err != nil {
		return nil, err
	}
	config, pid := filepath.Join(dir, "hitch.conf"), filepath.Join(dir, "hitch.pid")
	// Without ocsp-dir there is no other child than the workers. The last certificate is the default one.
	text := fmt.Sprintf("frontend = \"[127.0.0.1]:%d\"\nbackend = \"[127.0.0.1]:%d\"\nworkers = %d\ndaemon = on\nocsp-dir = \"\"\n%s\n",
		port, harness.Backend(t), workers, strings.Join(append(lines, fmt.Sprintf("pem-file = %q", pem)), "\n"))
	line := []string{"/usr/sbin/hitch", "--config", config, "--pidfile", pid}
	if os.Geteuid() == 0 {
		empty := filepath.Join(dir, "empty")
		if err := os.Mkdir(empty, 0o755); err != nil {
			return nil, err
		}
		line = append(line, "--user", "_hitch", "--group", "_hitch", "--chroot", empty)
	}
	return &harness.Program{
		Dir: dir, Port: port, Env: env, Line: line, PidFile: pid, WorkerCount: workers,
		ReloadWith: syscall.SIGHUP, StopWith: syscall.SIGTERM,
		Problem: regexp.MustCompile(`(?i)error|failed`),
	}, os.WriteFile(config, []byte(text), 0o644)
}

// hitch has no line for tickets, so they are on; a reload keeps the contexts of certificates that are the
// same, and their tickets' keys with them.
func TestMatrix(t *testing.T) {
	harness.Matrix{
		Page: "hitch",
		New: func(t *testing.T, dir string, row harness.Row, env []string) (*harness.Subject, error) {
			p, err := newHitch(t, dir, row.Workers, env)
			if err != nil {
				return nil, err
			}
			return p.Subject(), nil
		},
		Tickets: []string{"on", "stateful", "shared"},
		Workers: []int{1, 2},
		Paths:   []bool{false, true},
		Steps:   []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart},
		Kept: func(r harness.Row, c harness.Client, step harness.Step) int {
			if r.Stateless(c) && step == harness.Reload {
				return 100
			}
			return harness.Kept(r, c, step)
		},
	}.Run(t)
}

// What the page tells an operator to do does what it says. One process has libssl's own cache without gosess.
func TestPage(t *testing.T) {
	harness.NeedBuild(t)
	p, err := newHitch(t, harness.TempDir(t), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	harness.TourOf(t, "hitch", p)
}
