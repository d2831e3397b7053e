package services_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// newIcinga is an Icinga 2 with its API, which knows its clients by their certificates, and the arguments of such a client.
func newIcinga(t *testing.T, dir string, env []string) (p *harness.Program, client []string) {
	t.Helper()
	authority, err := harness.NewAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Issue("first.test")
	if err != nil {
		t.Fatal(err)
	}
	files, err := authority.Issue("client.test")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	write(t, dir, map[string]string{
		"certs/ca.crt":         read(t, authority.CA),
		"certs/first.test.crt": read(t, server.Cert),
		"certs/first.test.key": read(t, server.Key),
		"icinga2.conf": fmt.Sprintf(`const NodeName = "first.test"
object Endpoint NodeName {
}
object Zone "master" {
  endpoints = [ NodeName ]
}
object ApiListener "api" {
  bind_host = "127.0.0.1"
  bind_port = %d
}
object ApiUser "client" {
  client_cn = "client.test"
  permissions = [ "*" ]
}
`, port),
	})
	line := []string{"/usr/sbin/icinga2", "daemon", "-c", filepath.Join(dir, "icinga2.conf"), "-x", "warning"}
	for _, constant := range []string{"RunAsUser=root", "RunAsGroup=root", "DataDir=DIR", "LogDir=DIR/log", "CacheDir=DIR", "SpoolDir=DIR",
		"InitRunDir=DIR", "PidPath=DIR/pid", "StatePath=DIR/state", "ModAttrPath=DIR/modattr", "ObjectsPath=DIR/objects", "VarsPath=DIR/vars"} {
		line = append(line, "-D", strings.ReplaceAll(constant, "DIR", dir))
	}
	p = &harness.Program{Dir: dir, Port: port, Env: env, Line: line, StopWith: syscall.SIGTERM, Problem: regexp.MustCompile("critical/")}
	return p, []string{"--cert", files.Cert, "--key", files.Key, "--get", "/v1"}
}

// Icinga sets the verification of clients on the connection, which gosess cannot read out of the context: who comes back with a
// certificate is resumed as without gosess.
func TestIcinga(t *testing.T) {
	if syscall.Geteuid() != 0 {
		t.Skip("Icinga changes its user: root is needed")
	}
	harness.Alike(t, func(t *testing.T, dir string, env []string) string {
		p, client := newIcinga(t, dir, env)
		start(t, p)
		defer end(t, p)
		return returns(t, p.Port, client...)
	})
}
