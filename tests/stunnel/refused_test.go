package stunnel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// withStore is a stunnel with a store and these lines behind those of its service, that is not yet started, and a client of it.
func withStore(t *testing.T, dir string, lines ...string) (*harness.Subject, harness.Guest) {
	t.Helper()
	store, env := harness.Stored(t, dir)
	p, err := newStunnel(t, dir, env, "options = NO_TICKET")
	if err != nil {
		t.Fatal(err)
	}
	if err := add(p.Line[1], lines); err != nil {
		t.Fatal(err)
	}
	return reloading(p), harness.Guest{T: t, Store: store, Port: p.Port, Live: true}
}

func add(path string, lines []string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(string(before)+strings.Join(lines, "\n")+"\n"), 0o644)
}

func certified(t *testing.T, dir, name string) (line string) {
	t.Helper()
	pem, err := certificate(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return "cert = " + pem
}

// Is a session resumed where it was made, and nowhere else?
func TestRefusals(t *testing.T) {
	harness.Refusals{Start: startWithPlaces, Lacks: map[string]string{
		"the same at another port":        "each service keeps its own objects",
		"no name and another certificate": "libssl resumes the object before stunnel goes by the name, as without gosess",
	}}.Run(t)
}

// startWithPlaces starts a stunnel with a service for each place. What is made at the service of a server name is resumed nowhere: what
// stunnel keeps is the object, and libssl looks for it before stunnel goes by the name, without gosess too.
func startWithPlaces(t *testing.T, dir string, places []harness.Place) (guests []harness.Guest) {
	t.Helper()
	var lines []string
	var ports []int
	for i, p := range places {
		cert := "cert = " + filepath.Join(dir, "server.pem")
		if p.Certificate != "" {
			cert = certified(t, filepath.Join(dir, p.Certificate), p.ServerName())
		}
		port := 0 // the first service's
		if i > 0 {
			from := "sni = https:" + p.Name
			if !p.SamePort {
				var err error
				if port, err = harness.FreePort(); err != nil {
					t.Fatal(err)
				}
				from = fmt.Sprint("accept = 127.0.0.1:", port)
			}
			lines = append(lines, fmt.Sprintf("[place%d]", i), from, fmt.Sprint("connect = 127.0.0.1:", harness.Backend(t)), cert)
		}
		lines, ports = append(lines, options(p)...), append(ports, port)
	}
	server, guest := withStore(t, dir, lines...)
	for i, port := range ports {
		if port == 0 {
			port = server.Port
		}
		guests = append(guests, guest.At(port))
		guests[i].Never = places[i].SamePort
	}
	harness.StartFor(t, server)
	return guests
}

// options are what a place has in its service.
func options(p harness.Place) (lines []string) {
	if p.Authority != "" {
		lines = append(lines, "verifyChain = yes", "CAfile = "+p.Authority)
	}
	if p.Version != "" {
		lines = append(lines, "sslVersionMin = TLSv"+p.Version, "sslVersionMax = TLSv"+p.Version)
	}
	if p.Ciphers != (harness.Ciphers{}) {
		lines = append(lines, "ciphers = "+p.Ciphers.List, "ciphersuites = "+p.Ciphers.Suites)
	}
	if p.Off {
		lines = append(lines, "sessionResume = no")
	}
	if p.Seconds != 0 {
		lines = append(lines, fmt.Sprint("sessionCacheTimeout = ", p.Seconds))
	}
	return lines
}

// A renewed certificate ends the sessions of the one before, whichever way stunnel reads it.
func TestRenewedCertificate(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, version string) {
		dir := harness.TempDir(t)
		s, client := withStore(t, dir)
		harness.StartFor(t, s)
		client = client.With("--tls", version, "--sni", "first.test")
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
