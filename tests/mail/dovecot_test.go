package mail_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// newDovecot is a Dovecot that is not yet started: IMAP with STARTTLS, and its login processes as Debian has
// them, one for each connection and in a chroot, or two for all of them and in none.
func newDovecot(t *testing.T, few bool) *harness.Program {
	t.Helper()
	needRoot(t)
	harness.NeedBuild(t)
	dir := harness.TempDir(t)
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	stores := filepath.Join(dir, "stores")
	if err := os.Mkdir(stores, 0o755); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("chown", "dovenull", stores).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v: %s", err, output)
	}
	env, err := harness.Preload("shm:" + filepath.Join(stores, "store") + "?size=1m")
	if err != nil {
		t.Fatal(err)
	}
	login := ""
	if few {
		login = "chroot =\n  service_count = 0\n  process_min_avail = 2\n  vsz_limit = 4G"
	}
	log, config := filepath.Join(dir, "dovecot.log"), filepath.Join(dir, "dovecot.conf")
	text := fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[2]s
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_options = no_ticket
ssl_cert = <%[3]s
ssl_key = <%[3]s
import_environment = TZ CORE_OUTOFMEM CORE_ERROR LISTEN_PID LISTEN_FDS %[4]s
passdb {
  driver = static
  args = nopassword=y
}
service imap-login {
  %[5]s
  inet_listener imap {
    port = %[6]d
  }
  inet_listener imaps {
    port = 0
  }
}
`, dir, log, pem, strings.Join(env, " "), login, port)
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "run"), 0o755),
		os.Mkdir(filepath.Join(dir, "state"), 0o755),
		os.WriteFile(config, []byte(text), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p := &harness.Program{
		Dir: dir, Port: port, Line: []string{"/usr/sbin/dovecot", "-c", config}, PidFile: filepath.Join(dir, "run", "master.pid"),
		ReloadWith: syscall.SIGHUP, StopWith: syscall.SIGTERM, Logs: []string{log},
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(p.Log())
		}
	})
	return p
}

// Dovecot's login processes may start no thread before they make their context (docs/servers/dovecot.md): they say
// so, or that the store is not in their chroot, and every connection is served as without gosess.
func TestDovecotFailsOpen(t *testing.T) {
	for few, reason := range map[bool]string{false: "cannot open", true: "no more threads may be started here"} {
		t.Run(fmt.Sprint("few processes ", few), func(t *testing.T) {
			t.Parallel()
			p := newDovecot(t, few)
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			for _, version := range []string{"1.2", "1.3"} {
				r, err := harness.Load(p.Port, "--starttls", "imap", "--tls", version, "--sessions", "20", "--attempts", "40")
				if err != nil || r.Errors != 0 || r.Handshakes != 60 {
					t.Errorf("%+v %v", r, err)
				}
			}
			// A process of Dovecot writes its log.
			err := harness.WaitFor("gosess to say why", func() bool {
				said := strings.Join(p.Problems(), "\n")
				return strings.Contains(said, "serving without a cache: ") && strings.Contains(said, reason)
			})
			if err != nil {
				t.Errorf("%v; said: %.1000s", err, strings.Join(p.Problems(), "\n"))
			}
		})
	}
}
