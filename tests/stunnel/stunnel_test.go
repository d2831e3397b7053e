// Package stunnel_test runs Debian's unmodified stunnel with gosess preloaded.
package stunnel_test

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// newStunnel is a stunnel that is not yet started, with lines for all its services. As root it drops its
// rights, after which it writes to its directory.
func newStunnel(t *testing.T, dir string, env []string, lines ...string) (*harness.Program, error) {
	pem, err := certificate(dir, "first.test")
	if err != nil {
		return nil, err
	}
	port, err := harness.FreePort()
	if err != nil {
		return nil, err
	}
	own := filepath.Join(dir, "own")
	if err := os.Mkdir(own, 0o755); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if err := give(own); err != nil {
			return nil, err
		}
		lines = append(lines, "setuid = stunnel4", "setgid = stunnel4")
	}
	p := &harness.Program{
		Dir: dir, Port: port, Env: env, PidFile: filepath.Join(own, "stunnel.pid"), Logs: []string{filepath.Join(own, "stunnel.log")},
		ReloadWith: syscall.SIGHUP, StopWith: syscall.SIGTERM, Problem: regexp.MustCompile(` LOG[0-2]\[`),
	}
	seen := "/"
	if !strings.Contains(strings.Join(lines, "\n"), "chroot") {
		seen = own
	}
	lines = append(lines, "pid = "+filepath.Join(seen, "stunnel.pid"), "output = "+filepath.Join(seen, "stunnel.log"), "[https]",
		fmt.Sprint("accept = 127.0.0.1:", port), fmt.Sprint("connect = 127.0.0.1:", harness.Backend(t)), "cert = "+pem)
	config := filepath.Join(dir, "stunnel.conf")
	p.Line = []string{"/usr/bin/stunnel4", config}
	return p, os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// give makes a file stunnel's own.
func give(path string) error {
	account, err := user.Lookup("stunnel4")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(account.Uid)
	return os.Chown(path, uid, -1)
}

// certificate makes one that stunnel, without its rights, can read at a reload.
func certificate(dir, name string) (string, error) {
	pem, err := harness.CertAndKeyOf(dir, name)
	if err == nil && os.Geteuid() == 0 {
		err = give(pem)
	}
	return pem, err
}

// read counts how often it has read its configuration.
func read(p *harness.Program) int { return strings.Count(p.Log(), "Configuration successful") }

// stunnel is one process with a thread for each connection, and its sessions are its own objects: they last as long as it does
// with them by itself, and nothing more is promised.
func TestMatrix(t *testing.T) {
	harness.Matrix{
		Page: "stunnel",
		New: func(t *testing.T, dir string, row harness.Row, env []string) (*harness.Subject, error) {
			var lines []string
			if row.Tickets == "off" {
				block, err := harness.Block("stunnel", "conf")
				if err != nil {
					return nil, err
				}
				lines = append(lines, strings.TrimSpace(block))
			}
			p, err := newStunnel(t, dir, env, lines...)
			if err != nil {
				return nil, err
			}
			return reloading(p), nil
		},
		Tickets: []string{"off", "on", "stateful", "shared"},
		Workers: []int{1},
		Paths:   []bool{false, true},
		Steps:   []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart},
		Kept:    func(harness.Row, harness.Client, harness.Step) int { return harness.Any },
		Made: func(r harness.Row, c harness.Client, _ harness.Step) int {
			if c.Version == "1.3" && r.Tickets != "on" {
				return harness.Any // stunnel by itself resumes a session, and none that this one leads to
			}
			return 100
		},
	}.Run(t)
}

// subject is a stunnel whose reloads are seen in its log.
type subject struct{ *harness.Program }

func (s subject) Reload() error {
	before := read(s.Program)
	s.Loaded = func() bool { return read(s.Program) > before }
	return s.Program.Reload()
}

func reloading(p *harness.Program) *harness.Subject {
	s := p.Subject()
	s.Server = subject{p}
	return s
}

// In a chroot it serves where it stays in the foreground. As a daemon it has forked
// after the last moment to load the Go half, says so, and has libssl's cache.
func TestChroot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may")
	}
	for _, foreground := range []bool{true, false} {
		t.Run(fmt.Sprint("foreground ", foreground), func(t *testing.T) {
			t.Parallel()
			harness.NeedBuild(t)
			dir := harness.TempDir(t)
			_, env := harness.Stored(t, dir)
			lines := []string{"options = NO_TICKET", "chroot = " + filepath.Join(dir, "own")}
			if foreground {
				lines = append(lines, "foreground = yes")
			}
			p, err := newStunnel(t, dir, env, lines...)
			if err != nil {
				t.Fatal(err)
			}
			if foreground {
				p.PidFile = ""
			}
			t.Cleanup(func() {
				if err := p.Stop(); err != nil {
					t.Error(err)
				}
				if t.Failed() {
					t.Log(p.Log())
				}
			})
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			for _, version := range []string{"1.2", "1.3"} {
				r, err := harness.Load(p.Port, "--tls", version, "--sessions", "20", "--attempts", "20")
				if err != nil || r.Errors != 0 || r.Resumed != r.Attempts {
					t.Errorf("%+v %v", r, err)
				}
			}
			said := len(p.Problems())
			if foreground && said != 0 || !foreground && (said != 1 || !strings.Contains(p.Problems()[0], "was forked from one")) {
				t.Errorf("said: %q", p.Problems())
			}
		})
	}
}

// What the page tells an operator to do does what it says. One process has libssl's own cache without gosess.
func TestPage(t *testing.T) {
	harness.NeedBuild(t)
	p, err := newStunnel(t, harness.TempDir(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	harness.TourOf(t, "stunnel", p)
}
