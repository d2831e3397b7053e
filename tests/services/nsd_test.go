package services_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// newNSD is an NSD with two processes that serve DNS over TLS, and is not yet started.
func newNSD(t *testing.T, dir string, env []string) *harness.Program {
	t.Helper()
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	write(t, dir, map[string]string{"nsd.conf": fmt.Sprintf(`server:
  ip-address: 127.0.0.1@%[1]d
  tls-port: %[1]d
  tls-service-key: %[2]s
  tls-service-pem: %[2]s
  server-count: 2
  username: ""
  chroot: ""
  zonesdir: %[3]s
  database: ""
  zonelistfile: %[3]s/zone.list
  xfrdfile: %[3]s/xfrd.state
  xfrdir: %[3]s
  pidfile: %[3]s/nsd.pid
  logfile: %[3]s/nsd.log
remote-control:
  control-enable: no
`, port, pem, dir)})
	// A connection that only looks whether it is there is an error to NSD: "TLS handshake failed".
	return &harness.Program{
		Dir: dir, Port: port, Env: env, Line: []string{"/usr/sbin/nsd", "-d", "-c", filepath.Join(dir, "nsd.conf")},
		StopWith: syscall.SIGTERM, Logs: []string{filepath.Join(dir, "nsd.log")}, Problem: regexp.MustCompile(`: error: [^T]`),
	}
}

// NSD's processes resume each other's sessions, and those from before a restart.
func TestNSD(t *testing.T) {
	gains(t, "nsd", hits, newNSD, "--silent")
}
