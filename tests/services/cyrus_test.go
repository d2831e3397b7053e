package services_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// newCyrus is a Cyrus that serves POP3 over TLS, in processes that its master starts, and is not yet started. Its imapd, which makes
// its sessions with the same code, cannot be installed beside Dovecot's.
func newCyrus(t *testing.T, dir string, env []string) *harness.Program {
	t.Helper()
	p, _ := cyrus(t, dir, env)
	return p
}

// cyrus is that Cyrus with the port where TLS is asked for in POP3.
func cyrus(t *testing.T, dir string, env []string) (p *harness.Program, plain int) {
	t.Helper()
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	port, plain := freePort(t), freePort(t)
	config := filepath.Join(dir, "imapd.conf")
	write(t, dir, map[string]string{
		"imapd.conf": fmt.Sprintf(`configdirectory: %[1]s/var
proc_path: %[1]s/var/proc
mboxname_lockpath: %[1]s/var/lock
defaultpartition: default
partition-default: %[1]s/mail
sasl_pwcheck_method: saslauthd
tls_server_cert: %[2]s
tls_server_key: %[2]s
`, dir, pem),
		"cyrus.conf": fmt.Sprintf(`START {
}
SERVICES {
	pop3s cmd="/usr/lib/cyrus/bin/pop3d -s -C %s" listen="127.0.0.1:%d" prefork=2
	pop3 cmd="/usr/lib/cyrus/bin/pop3d -C %s" listen="127.0.0.1:%d" prefork=0
}
EVENTS {
}
`, config, port, config, plain),
	})
	for _, name := range []string{"mail", "var/db", "var/socket", "var/proc", "var/log", "var/lock"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := exec.Command("chown", "-R", "cyrus:mail", dir).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v: %s", err, output)
	}
	return &harness.Program{
		Dir: dir, Port: port, Env: readable(t, dir, env), StopWith: syscall.SIGTERM,
		Line: []string{"/usr/lib/cyrus/bin/master", "-D", "-C", config, "-M", filepath.Join(dir, "cyrus.conf"), "-p", filepath.Join(dir, "pid")},
	}, plain
}

// Cyrus keeps sessions in a file of its own, which all its processes ask, and gives out tickets, which only the process that made one
// can read. Stateful, all sessions are in the file, and outlive a restart.
func TestCyrus(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("Cyrus becomes another user: root is needed")
	}
	gains(t, "cyrus", stores, newCyrus, "--greeting")
}

// gosess doctor sees it through STLS, with a ticket key in each of its processes: how many of these there are is the master's affair.
func TestDoctor(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("Cyrus becomes another user: root is needed")
	}
	t.Parallel()
	p, plain := cyrus(t, harness.TempDir(t), []string{"GOSESS_CACHE is not set"})
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	// Killed: one of its children that has just begun may not hear that the master ends, which then waits for it.
	t.Cleanup(func() {
		if err := p.Kill9(); err != nil {
			t.Error(err)
		}
	})
	d := harness.Diagnose(t, fmt.Sprint("127.0.0.1:", plain), "--starttls", "pop3")
	keys := slices.Contains(d.Codes(), "partly-resumed/keys") || slices.Contains(d.Codes(), "not-resumed/keys")
	// Of the doctor's two hundred connections a few may come while the master, beside a busy machine, has no process that listens.
	if !keys || d.Failed > 10 || !strings.Contains(d.Text, "Cyrus POP3") {
		t.Errorf("found %q: %s", d.Codes(), d.Text)
	}
}
