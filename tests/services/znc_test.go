package services_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// newZNC is a ZNC that is not yet started. Root it does not want to be.
func newZNC(t *testing.T, dir string, env []string) *harness.Program {
	t.Helper()
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	write(t, dir, map[string]string{"configs/znc.conf": fmt.Sprintf(`Version = 1.8.2
SSLCertFile = %s
AnonIPLimit = 1000
<Listener tls>
	Host = 127.0.0.1
	Port = %d
	IPv4 = true
	IPv6 = false
	SSL = true
	AllowIRC = true
	AllowWeb = true
</Listener>
<User user>
	Admin = true
	Nick = user
	<Pass password>
		Method = sha256
		Hash = 0
		Salt = 0
	</Pass>
</User>
`, pem, port)})
	p := &harness.Program{
		Dir: dir, Port: port, Env: env, Line: []string{"/usr/bin/znc", "-f", "-d", dir},
		StopWith: syscall.SIGTERM, Problem: regexp.MustCompile(`(?i)error|unable|failed`),
	}
	if os.Geteuid() == 0 {
		if output, err := exec.Command("chown", "-R", "nobody", dir).CombinedOutput(); err != nil {
			t.Fatalf("chown: %v: %s", err, output)
		}
		p.Through = []string{"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"}
		p.Env = readable(t, dir, env)
	}
	return p
}

// readable is the environment with copies of the libraries in dir, as where they were built others may not look.
func readable(t *testing.T, dir string, env []string) []string {
	t.Helper()
	for _, name := range []string{"libgosess.so", "libgosess-core.so"} {
		path, err := harness.Built(name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, map[string]string{name: read(t, path)})
	}
	readable := []string{"LD_PRELOAD=" + filepath.Join(dir, "libgosess.so")}
	return append(readable, env[1:]...)
}

// ZNC makes a context for each connection, and libssl's cache is one of a context: only a store resumes anything.
func TestZNC(t *testing.T) {
	gains(t, "znc", hits, newZNC, "--silent")
}
