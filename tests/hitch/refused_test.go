package hitch_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"gosess/tests/harness"
)

// started is a hitch with these lines, and a client of its first frontend.
func started(t *testing.T, dir, version string, lines ...string) (*harness.Program, harness.Guest) {
	t.Helper()
	store := "shm:" + filepath.Join(dir, "store")
	env, err := harness.Preload(store + "?size=4m")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newHitch(t, dir, 2, append(env, "GOSESS_TICKETS=stateful"), lines...)
	if err != nil {
		t.Fatal(err)
	}
	harness.StartFor(t, p.Subject())
	return p, harness.Guest{
		T: t, Store: store, Port: p.Port, Late: true,
		Arguments: []string{"--tls", version, "--sni", "first.test"},
	}
}

// frontend is a block of hitch.conf: a port with lines of its own.
func frontend(t *testing.T, lines string) (block string, port int) {
	t.Helper()
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("frontend = {\nhost = \"127.0.0.1\"\nport = \"%d\"\n%s\n}", port, lines), port
}

func certificate(t *testing.T, dir, name string) string {
	t.Helper()
	pem, err := harness.CertAndKeyOf(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("pem-file = %q", pem)
}

// A session is resumed under the name that it was made for, and under no other.
func TestNoResumptionAcrossNames(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		_, first := started(t, dir, version, certificate(t, filepath.Join(dir, "second"), "second.test"))
		second := first.With("--sni", "second.test")
		of := first.Sessions()
		second.IsRefused(of)
		first.Resumes(of)
		second.Resumes(second.Sessions())
	})
}

// Nor at a frontend that has another certificate for that name.
func TestNoResumptionAcrossCertificates(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		block, port := frontend(t, certificate(t, filepath.Join(dir, "other"), "first.test"))
		_, first := started(t, dir, version, block)
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
			block, port := frontend(t, fmt.Sprintf("pem-file = %q\nclient-verify = required\nclient-verify-ca = %q",
				filepath.Join(dir, "server.pem"), authority))
			lines, ports, clients = append(lines, block), append(ports, port), append(clients, arguments)
		}
		_, public := started(t, dir, version, lines...)
		var guests []harness.Guest
		for i, port := range ports {
			guests = append(guests, public.At(port).With(clients[i]...))
		}
		harness.StayApart(public, guests)
	})
}

// A renewed certificate ends the sessions of the one before, whichever way hitch reads it.
func TestRenewedCertificate(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		p, client := started(t, dir, version)
		client.EndsWhenRenewed(func() { certificate(t, dir, "first.test") }, p.Reload, func() error { return harness.StopAndStart(p) })
	})
}

// A session is of one version: offered by a client that may use both, it is not resumed in the other.
func TestSessionOfAnotherVersion(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		block, port := frontend(t, fmt.Sprintf("pem-file = %q\ntls-protos = TLSv%s", filepath.Join(dir, "server.pem"), harness.OtherVersion(version)))
		_, client := started(t, dir, version, block)
		of := client.Sessions()
		client.At(port).With("--tls", "any").IsRefused(of)
		client.Resumes(of)
	})
}
