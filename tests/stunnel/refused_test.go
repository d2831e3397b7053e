package stunnel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// started is a stunnel with a store and these lines behind those of its service, and a client of it.
func started(t *testing.T, dir, version string, lines ...string) (*harness.Subject, harness.Guest) {
	t.Helper()
	store := "shm:" + filepath.Join(dir, "store")
	env, err := harness.Preload(store + "?size=4m")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newStunnel(t, dir, env, "options = NO_TICKET")
	if err != nil {
		t.Fatal(err)
	}
	if err := add(p.Line[1], lines); err != nil {
		t.Fatal(err)
	}
	s := reloading(p)
	harness.StartFor(t, s)
	return s, harness.Guest{T: t, Store: store, Port: p.Port, Live: true, Arguments: []string{"--tls", version, "--sni", "first.test"}}
}

func add(path string, lines []string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(string(before)+strings.Join(lines, "\n")+"\n"), 0o644)
}

// service is one more, with lines of its own, and the port where it listens.
func service(t *testing.T, name string, lines ...string) (text string, port int) {
	t.Helper()
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	lines = append([]string{"[" + name + "]", fmt.Sprint("accept = 127.0.0.1:", port), fmt.Sprint("connect = 127.0.0.1:", harness.Backend(t))}, lines...)
	return strings.Join(lines, "\n"), port
}

func certified(t *testing.T, dir, name string) (line string) {
	t.Helper()
	pem, err := certificate(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return "cert = " + pem
}

// A session is resumed by the service that it was made with, and by no other. One that a server name leads to resumes none: what
// stunnel keeps is the object, and libssl looks for it before stunnel goes by the name, without gosess too.
func TestNoResumptionAcrossNames(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		_, first := started(t, dir, version, "[second]", "sni = https:second.test",
			fmt.Sprint("connect = 127.0.0.1:", harness.Backend(t)), certified(t, filepath.Join(dir, "second"), "second.test"))
		second := first.With("--sni", "second.test")
		of := first.Sessions()
		second.IsRefused(of)
		first.Resumes(of)
		second.ResumesNone()
	})
}

// Nor by a service that has another certificate for that name.
func TestNoResumptionAcrossCertificates(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		other, port := service(t, "other", certified(t, filepath.Join(dir, "other"), "first.test"))
		_, first := started(t, dir, version, other)
		of := first.Sessions()
		first.At(port).IsRefused(of)
		first.Resumes(of)
		first.At(port).Resumes(first.At(port).Sessions())
	})
}

// A session of a client whom one authority vouches for is worth nothing where another is asked, or none.
func TestNoResumptionAcrossAuthorities(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		var lines []string
		var ports []int
		var clients [][]string
		for _, name := range []string{"one", "two"} {
			authority, arguments := harness.ClientOf(t, filepath.Join(dir, name))
			text, port := service(t, name, "cert = "+filepath.Join(dir, "server.pem"), "verifyChain = yes", "CAfile = "+authority)
			lines, ports, clients = append(lines, text), append(ports, port), append(clients, arguments)
		}
		_, public := started(t, dir, version, lines...)
		var guests []harness.Guest
		for i, port := range ports {
			guests = append(guests, public.At(port).With(clients[i]...))
		}
		harness.StayApart(public, guests)
	})
}

// A renewed certificate ends the sessions of the one before, whichever way stunnel reads it.
func TestRenewedCertificate(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		s, client := started(t, dir, version)
		for _, again := range []func() error{s.Reload, func() error { return harness.StopAndStart(s) }} {
			of := client.Sessions()
			client.Resumes(of)
			certified(t, dir, "first.test")
			if err := again(); err != nil {
				t.Fatal(err)
			}
			client.IsRefused(of)
		}
	})
}

// A session is of one version: offered by a client that may use both, it is not resumed in the other.
func TestSessionOfAnotherVersion(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		only := "TLSv" + harness.OtherVersion(version)
		other, port := service(t, "other", "cert = "+filepath.Join(dir, "server.pem"), "sslVersionMin = "+only, "sslVersionMax = "+only)
		_, client := started(t, dir, version, other)
		of := client.Sessions()
		client.At(port).With("--tls", "any").IsRefused(of)
		client.Resumes(of)
	})
}

// sessionCacheTimeout is the end of a session, however often it is resumed.
func TestExpires(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		_, client := started(t, harness.TempDir(t), version, "sessionCacheTimeout = 3")
		client.Expires(client.Sessions())
	})
}

// A service that resumes nothing takes no session of one beside it.
func TestSessionOfferedWhereNoneIsResumed(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		off, port := service(t, "off", "cert = "+filepath.Join(dir, "server.pem"), "sessionResume = no")
		_, client := started(t, dir, version, off)
		of := client.Sessions()
		client.At(port).IsRefused(of)
		client.Resumes(of)
		client.At(port).ResumesNone()
	})
}
