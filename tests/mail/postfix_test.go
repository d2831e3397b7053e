// Package mail_test runs Debian's unmodified Postfix and Dovecot with gosess preloaded.
package mail_test

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

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a server of mail is started by root")
	}
}

// postfix is a Postfix whose smtpd, one process for a number of connections, is in its chroot.
type postfix struct {
	*harness.Program
	log string
}

// newPostfix is one that is not yet started: Debian's configuration, moved to dir, and these lines.
func newPostfix(dir string, lines []string) (*postfix, error) {
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		return nil, err
	}
	port, err := harness.FreePort()
	if err != nil {
		return nil, err
	}
	etc, log := filepath.Join(dir, "etc"), filepath.Join(dir, "maillog")
	for _, name := range []string{"etc", "queue", "data"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	if output, err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("chown: %w: %s", err, output)
	}
	services, err := os.ReadFile("/etc/postfix/master.cf")
	if err != nil {
		return nil, err
	}
	moved := regexp.MustCompile(`(?m)^smtp( +inet)`).ReplaceAll(services, fmt.Appendf(nil, "127.0.0.1:%d$1", port))
	// The first line of its kind: postlogd of 3.7 waits for itself where it warns of a second one.
	lines = append([]string{
		"compatibility_level = 3.6",
		"queue_directory = " + filepath.Join(dir, "queue"),
		"data_directory = " + filepath.Join(dir, "data"),
		"maillog_file = " + log, "maillog_file_prefixes = " + dir,
		"inet_interfaces = 127.0.0.1", "myhostname = first.test", "mydestination =",
		"smtpd_tls_security_level = may", "smtpd_tls_cert_file = " + pem, "smtpd_tls_key_file = " + pem,
	}, lines...)
	p := &postfix{&harness.Program{
		Dir: dir, Port: port, Line: []string{"/usr/sbin/postfix", "-c", etc, "start"}, PidFile: filepath.Join(dir, "queue", "pid", "master.pid"),
		ReloadWith: syscall.SIGHUP, StopWith: syscall.SIGTERM, Logs: []string{log},
		Problem: regexp.MustCompile(`(fatal|panic|error): |warning: .*(TLS|killed)`),
	}, log}
	return p, join(os.WriteFile(filepath.Join(etc, "master.cf"), moved, 0o644),
		os.WriteFile(filepath.Join(etc, "main.cf"), []byte(strings.Join(lines, "\n")+"\n"), 0o644))
}

func join(errors ...error) error {
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}

// Reload implements harness.Server. What served before it may end when it likes.
func (p *postfix) Reload() error {
	count := func() int { return strings.Count(p.Log(), ": reload -- ") }
	before := count()
	p.Loaded = func() bool { return count() > before }
	return p.Program.Reload()
}

// killSMTPD kills one of the processes that serve; the master starts another one for the next connection.
// Not one that has served nobody yet: the master would take that for a bad command, and wait a minute. One
// that ends by itself meanwhile, after 100 connections, is not it.
func (p *postfix) killSMTPD() error {
	return harness.WaitFor("an smtpd that has served to be killed", func() bool {
		log := p.Log()
		for _, child := range p.Master().Children() {
			served := strings.Contains(log, fmt.Sprintf("/smtpd[%d]: connect from", child.PID))
			if served && strings.HasPrefix(child.Title(), "smtpd ") && child.Kill(syscall.SIGKILL) == nil {
				return harness.WaitFor("smtpd to end", func() bool { return !child.Alive() }) == nil
			}
		}
		return false
	})
}

// pageLines are what the page adds to main.cf: its environment, with the store in dir, and tickets that are "off", "on" (kept),
// "stateful" or, as on the page, "shared".
func pageLines(dir, tickets string) ([]string, error) {
	imported, err := harness.PageEnvironment("postfix", dir)
	if err != nil {
		return nil, err
	}
	imported = append(imported, "GOSESS_LOG=error:"+filepath.Join(dir, "gosess.log")) // smtpd has no stderr
	switch tickets {
	case "stateful":
		imported = harness.WithTickets(imported, tickets)
	case "on":
		imported = harness.WithTickets(imported, "keep")
	}
	block, err := harness.Block("postfix", "conf")
	if err != nil {
		return nil, err
	}
	_, standard, _ := strings.Cut(block, "=")
	standard, _, _ = strings.Cut(standard, "LD_PRELOAD")
	for i, entry := range imported {
		if strings.Contains(entry, ",") { // which ends an entry, where it is not in braces (postconf(5))
			imported[i] = "{ " + entry + " }"
		}
	}
	lines := []string{"import_environment =" + standard + strings.Join(imported, " ")}
	if tickets == "off" {
		words, err := harness.PageCommand("postfix", "tls_ssl_options")
		if err != nil {
			return nil, err
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines, nil
}

// The environment comes with import_environment, as the page says. Postfix's tickets come from tlsmgr, which
// a reload starts anew.
func TestPostfix(t *testing.T) {
	needRoot(t)
	harness.Matrix{
		Page: "postfix",
		New: func(_ *testing.T, dir string, row harness.Row, _ []string) (*harness.Subject, error) {
			lines, err := pageLines(dir, row.Tickets)
			if err != nil {
				return nil, err
			}
			p, err := newPostfix(dir, lines)
			if err != nil {
				return nil, err
			}
			s := p.Subject("--starttls", "smtp")
			s.Server, s.Replace = p, p.killSMTPD
			s.Problems = func() []string { return without(p.Problems(), "killed by signal 9") }
			return s, nil
		},
		Tickets: []string{"off", "on", "stateful", "shared"},
		Workers: []int{2},
		Paths:   []bool{true},
		Steps:   []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart},
		Kept: func(r harness.Row, c harness.Client, step harness.Step) int {
			if r.Stateless(c) && step != harness.KillWorker {
				return harness.Any
			}
			return harness.Kept(r, c, step)
		},
	}.Run(t)
}

// without leaves out the lines that hold what the test provokes.
func without(lines []string, expected string) []string {
	var rest []string
	for _, line := range lines {
		if !strings.Contains(line, expected) {
			rest = append(rest, line)
		}
	}
	return rest
}
