package mail_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// dovecot is a Dovecot that serves IMAP with STARTTLS.
type dovecot struct {
	*harness.Program
}

// Of the login service: as Debian has it, a process for each connection; and two for all of them.
const (
	oneForEach = ""
	twoForAll  = "  service_count = 0\n  process_min_avail = 2\n"
)

// newDovecot is one that is not yet started: these lines, with those of the login service added.
func newDovecot(dir, lines, login string) (*dovecot, error) {
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		return nil, err
	}
	port, err := harness.FreePort()
	if err != nil {
		return nil, err
	}
	log, config := filepath.Join(dir, "dovecot.log"), filepath.Join(dir, "dovecot.conf")
	text := fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[2]s
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <%[3]s
ssl_key = <%[3]s
passdb {
  driver = static
  args = nopassword=y
}
service imap-login {
%[4]s  inet_listener imap {
    port = %[5]d
  }
  inet_listener imaps {
    port = 0
  }
}
`, dir, log, pem, login, port) + lines
	p := &dovecot{&harness.Program{
		Dir: dir, Port: port, Line: []string{"/usr/sbin/dovecot", "-c", config}, PidFile: filepath.Join(dir, "run", "master.pid"),
		ReloadWith: syscall.SIGHUP, StopWith: syscall.SIGTERM, Logs: []string{log},
		Problem: regexp.MustCompile(`(Fatal|Panic|Error): `), Told: []string{"GOSESS_CACHE=shm:" + filepath.Join(dir, "store")},
	}}
	return p, join(os.Mkdir(filepath.Join(dir, "run"), 0o755), os.Mkdir(filepath.Join(dir, "state"), 0o755),
		os.WriteFile(config, []byte(text), 0o644))
}

// dovecotLines are what the page adds: its environment, with the store in dir, and tickets that are "off", "on" (kept), "stateful"
// or, as on the page, "shared".
func dovecotLines(dir, tickets string) (string, error) {
	imported, err := harness.PageEnvironment("dovecot", dir)
	if err != nil {
		return "", err
	}
	switch tickets {
	case "stateful":
		imported = harness.WithTickets(imported, tickets)
	case "on":
		imported = harness.WithTickets(imported, "keep")
	}
	block, err := harness.Block("dovecot", "conf")
	if err != nil {
		return "", err
	}
	first, rest, _ := strings.Cut(block, "\n")
	standard, _, _ := strings.Cut(first, "LD_PRELOAD")
	if tickets == "off" {
		words, err := harness.PageCommand("dovecot", "ssl_options")
		if err != nil {
			return "", err
		}
		rest += strings.Join(words, " ") + "\n"
	}
	return standard + strings.Join(imported, " ") + "\n" + rest, nil
}

// Reload implements harness.Server.
func (p *dovecot) Reload() error {
	count := func() int { return strings.Count(p.Log(), "SIGHUP received - reloading configuration") }
	before := count()
	p.Loaded = func() bool { return count() > before }
	return p.Program.Reload()
}

// killLogin kills a login process that has greeted somebody: the master would take the death of another one for a
// bad command, and wait.
func (p *dovecot) killLogin() error {
	conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", p.Port))
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return err
	}
	return harness.WaitFor("a login process to be killed", func() bool {
		for _, child := range p.Master().Children() {
			if strings.HasPrefix(child.Title(), "dovecot/imap-login") {
				return child.Kill(syscall.SIGKILL) == nil
			}
		}
		return false
	})
}

// The environment comes with import_environment, as the page says. The keys of tickets are a process's own: what comes
// with one is resumed where two processes serve all only by chance.
func TestDovecot(t *testing.T) {
	needRoot(t)
	own := func(r harness.Row, c harness.Client, step harness.Step) int {
		switch {
		case !r.Stateless(c):
			return harness.Kept(r, c, step)
		case r.Workers == 1:
			return 0
		}
		return harness.Any
	}
	harness.Matrix{
		Page: "dovecot",
		New: func(_ *testing.T, dir string, row harness.Row, _ []string) (*harness.Subject, error) {
			lines, err := dovecotLines(dir, row.Tickets)
			if err != nil {
				return nil, err
			}
			p, err := newDovecot(dir, lines, []string{1: oneForEach, 2: twoForAll}[row.Workers])
			if err != nil {
				return nil, err
			}
			s := p.Subject("--starttls", "imap")
			s.Server, s.Replace = p, p.killLogin
			s.Problems = func() []string { return without(p.Problems(), "killed with signal 9") }
			return s, nil
		},
		Tickets: []string{"off", "on", "stateful", "shared"},
		Workers: []int{1, 2},
		Paths:   []bool{true},
		Steps:   []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart},
		Kept:    own,
		Made:    own,
		Few:     true,
	}.Run(t)
}

// aDovecot is one with the page's lines, no tickets and these, and a client of it.
func aDovecot(t *testing.T, dir, version, lines, login string) (*dovecot, harness.Guest) {
	t.Helper()
	needRoot(t)
	harness.NeedBuild(t)
	page, err := dovecotLines(dir, "off")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newDovecot(dir, page+lines, login)
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{"--starttls", "imap", "--tls", version, "--sni", "first.test"}
	return p, harness.Guest{T: t, Store: "shm:" + filepath.Join(dir, "store"), Port: p.Port, Arguments: arguments}
}

func (p *dovecot) start(t *testing.T) {
	t.Helper()
	s := p.Subject()
	s.Server = p
	harness.StartFor(t, s)
}

// Without a chroot a login process is dovenull already when it forbids itself threads, the last moment then.
func TestDovecotWithoutChroot(t *testing.T) {
	for name, login := range map[string]string{"one for each": oneForEach, "two for all": twoForAll} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := harness.TempDir(t)
			p, client := aDovecot(t, dir, "1.3", "", "  chroot =\n"+login)
			if output, err := exec.Command("chown", "dovenull", dir).CombinedOutput(); err != nil {
				t.Fatalf("chown: %v: %s", err, output)
			}
			p.start(t)
			if login == twoForAll {
				client.ResumesAtLast(client.Sessions())
				return
			}
			client.ResumesNone() // a name is new to each process
			client.Arguments = client.Arguments[:len(client.Arguments)-2]
			client.Resumes(client.Sessions())
		})
	}
}

// A session is resumed under the name and by the certificate that it was made for.
func TestDovecotRefuses(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		second := certificate(t, filepath.Join(dir, "second"), "second.test")
		p, first := aDovecot(t, dir, version, fmt.Sprintf("local_name second.test {\n  ssl_cert = <%[1]s\n  ssl_key = <%[1]s\n}\n", second), twoForAll)
		p.start(t)
		other := first.With("--sni", "second.test")
		of := first.Sessions()
		other.IsRefused(of)
		first.With("--tls", harness.OtherVersion(version)).IsRefused(of)
		first.ResumesAtLast(of)
		other.ResumesAtLast(other.Sessions())

		certificate(t, dir, "first.test")
		if err := harness.StopAndStart(p); err != nil {
			t.Fatal(err)
		}
		first.IsRefused(of)
	})
}

// With the address space that Dovecot allows by itself there is no room for a Go runtime: Dovecot's log says
// so, and every connection is served as without gosess.
func TestDovecotFailsOpen(t *testing.T) {
	dir := harness.TempDir(t)
	p, client := aDovecot(t, dir, "1.2", "service imap-login {\n  vsz_limit = 256M\n}\n", oneForEach)
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.2", "1.3"} {
		client.With("--tls", version).ResumesNone()
	}
	err := harness.WaitFor("gosess to say why", func() bool { // a process of Dovecot writes its log
		return strings.Contains(p.Log(), "serving without a cache: too little address space")
	})
	if err != nil {
		t.Errorf("%v; said: %.1000s", err, p.Log())
	}
}
