package harness_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"gosess/tests/harness"
)

// The harness itself must be able to tell a cache from none: plain nginx, with its own caches.
func TestTellsACacheFromNone(t *testing.T) {
	for _, test := range []struct {
		name, cache, tls string
		tickets          bool
		wants            func(harness.Result) bool
	}{
		{"shared 1.2", "shared:test:1m", "1.2", false, all},
		{"shared 1.3", "shared:test:1m", "1.3", false, all},
		{"none 1.2", "none", "1.2", false, nothing},
		{"none 1.3", "none", "1.3", false, nothing},
		{"tickets 1.2", "none", "1.2", true, all},
		{"tickets 1.3", "none", "1.3", true, all},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := start(t, func(n *harness.Nginx) { n.SessionCache, n.Tickets = test.cache, test.tickets })
			got, err := harness.Load(n.Port(), "--tls", test.tls, "--sessions", "20", "--attempts", "100")
			if err != nil {
				t.Fatal(err)
			}
			if got.Errors != 0 || got.Handshakes != 120 || !test.wants(got) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func all(r harness.Result) bool     { return r.Resumed == r.Attempts && r.Full == r.Sessions }
func nothing(r harness.Result) bool { return r.Resumed == 0 && r.Full == r.Handshakes }

// Sessions that were saved are resumed by another run, and are nobody else's to read.
func TestSavedSessions(t *testing.T) {
	n := start(t, func(n *harness.Nginx) { n.SessionCache = "shared:test:1m" })
	for _, tls := range []string{"1.2", "1.3"} {
		file := filepath.Join(t.TempDir(), "sessions")
		if _, err := harness.Load(n.Port(), "--tls", tls, "--sessions", "10", "--attempts", "0", "--save", file); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		got, err := harness.Load(n.Port(), "--tls", tls, "--attempts", "10", "--load", file)
		if err != nil || got.Resumed != 10 || got.Full != 0 || got.Errors != 0 {
			t.Errorf("TLS %s: %+v %v", tls, got, err)
		}
	}
}

// A reload replaces all workers, a kill leaves none, and each start serves.
func TestLifeOfAServer(t *testing.T) {
	n := start(t, nil)
	master, workers := n.Master(), n.Workers()
	if err := n.Reload(); err != nil {
		t.Fatal(err)
	}
	for _, worker := range workers {
		if worker.Alive() {
			t.Error("an old worker lives after the reload")
		}
	}
	if n.Master() != master || len(n.Workers()) != 2 {
		t.Errorf("after the reload: %v %v", n.Master(), n.Workers())
	}
	for _, end := range []func() error{n.Kill9, n.Stop} {
		processes := append(n.Workers(), n.Master())
		if err := end(); err != nil {
			t.Fatal(err)
		}
		for _, p := range processes {
			if p.Alive() {
				t.Errorf("%v is left", p)
			}
		}
		if err := n.Start(); err != nil {
			t.Fatal(err)
		}
	}
}

// With several targets a session is resumed at another one than made it. Here they are two
// server blocks of one nginx, which has one cache for both, and a context for each certificate.
func TestLoadTakesTargetsInTurn(t *testing.T) {
	for _, same := range []bool{true, false} {
		var other string
		n := start(t, func(n *harness.Nginx) {
			n.SessionCache = "shared:test:1m"
			site, err := n.AddSite("second.test")
			if err != nil {
				t.Fatal(err)
			}
			if same {
				site.Cert = n.Sites[0].Cert
			}
			other = strconv.Itoa(site.Port)
		})
		for _, tls := range []string{"1.2", "1.3"} {
			// One round: each session once.
			got, err := harness.Load(n.Port(), "--port", other, "--tls", tls, "--sessions", "10", "--attempts", "10")
			if err != nil || got.Errors != 0 || (got.Resumed == 10) != same {
				t.Errorf("same certificate %v, TLS %s: %+v %v", same, tls, got, err)
			}
		}
	}
}

// Handshakes alone are resumed as others are, and with TLS 1.3 bring a ticket each.
func TestLoadOfHandshakesOnly(t *testing.T) {
	n := start(t, func(n *harness.Nginx) { n.SessionCache = "shared:test:1m" })
	for _, tls := range []string{"1.2", "1.3"} {
		got, err := harness.Load(n.Port(), "--tls", tls, "--sessions", "10", "--attempts", "40", "--handshake-only")
		if err != nil || got.Errors != 0 || got.Resumed != 40 || len(got.Quantiles) == 0 || got.P50 <= 0 {
			t.Errorf("TLS %s: %+v %v", tls, got, err)
		}
	}
}

// A client that asks nothing resumes all the same: it leaves no server before that has stored the session.
func TestLoadUntilTheEnd(t *testing.T) {
	n := start(t, func(n *harness.Nginx) { n.SessionCache = "shared:test:1m" })
	for _, arguments := range [][]string{{"--tls", "1.2", "--no-ticket"}, {"--tls", "1.2"}, {"--tls", "1.3"}} {
		arguments = append(arguments, "--sessions", "10", "--attempts", "40", "--until-end")
		if got, err := harness.Load(n.Port(), arguments...); err != nil || got.Errors != 0 || got.Resumed != 40 {
			t.Errorf("%v: %+v %v", arguments, got, err)
		}
	}
}

// A look at which sessions are left stores none: other sessions would make way for them.
func TestLoadThatOnlyResumes(t *testing.T) {
	n := start(t, func(n *harness.Nginx) { n.SessionCache = "shared:test:1m" })
	for _, tls := range []string{"1.2", "1.3"} {
		file := filepath.Join(t.TempDir(), "sessions")
		if _, err := harness.Load(n.Port(), "--tls", tls, "--sessions", "10", "--attempts", "0", "--save", file); err != nil {
			t.Fatal(err)
		}
		arguments := []string{"--tls", tls, "--attempts", "10", "--load", file, "--resume-only"}
		if got, err := harness.Load(n.Port(), arguments...); err != nil || got.Errors != 0 || got.Resumed != 10 {
			t.Errorf("TLS %s: %+v %v", tls, got, err)
		}
		n2 := start(t, func(n *harness.Nginx) { n.SessionCache = "shared:test:1m" })
		for range 2 { // and the second time there is still nothing
			got, err := harness.Load(n2.Port(), arguments...)
			if err != nil || got.Errors != 0 || got.Resumed != 0 || got.Full != 10 || got.Tickets != 0 {
				t.Errorf("TLS %s, elsewhere: %+v %v", tls, got, err)
			}
		}
	}
}

// The load client reports a server that is not there, and one that answers with nothing of use.
func TestLoadReportsErrors(t *testing.T) {
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	got, err := harness.Load(port, "--sessions", "2", "--attempts", "4")
	if err != nil || got.Errors != 6 || got.Handshakes != 0 || got.Said == "" {
		t.Errorf("nobody there: %+v %v", got, err)
	}

	n := start(t, func(n *harness.Nginx) { n.Sites[0].Location = "return 404;" })
	got, err = harness.Load(n.Port(), "--sessions", "2", "--attempts", "4")
	if err != nil || got.Errors != 6 || got.Handshakes != 0 {
		t.Errorf("404: %+v %v", got, err)
	}
}

func start(t *testing.T, change func(*harness.Nginx)) *harness.Nginx {
	t.Helper()
	n, err := harness.NewNginx(harness.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(n)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(n.Log())
		}
	})
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	return n
}
