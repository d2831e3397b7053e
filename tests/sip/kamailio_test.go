// Package sip_test runs Debian's unmodified Kamailio with gosess preloaded. It keeps OpenSSL's objects in memory that its processes
// share, and what one of them has attached to an object is nothing that another one can follow.
package sip_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// newKamailio is one with libssl's cache on or off, that is not yet started.
func newKamailio(t *testing.T, dir string, env []string, cache int) *harness.Program {
	t.Helper()
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join("testdata", "kamailio.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"kamailio.cfg": strings.NewReplacer("@DIR@", dir, "@PORT@", fmt.Sprint(port), "@CACHE@", fmt.Sprint(cache)).Replace(string(config)),
		"tls.cfg":      fmt.Sprintf("[server:default]\nmethod = TLSv1.2+\ncertificate = %[1]s\nprivate_key = %[1]s\n", pem),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &harness.Program{
		Dir: dir, Port: port, Env: env, Line: []string{"/usr/sbin/kamailio", "-DD", "-E", "-f", filepath.Join(dir, "kamailio.cfg")},
		StopWith: syscall.SIGTERM, Problem: regexp.MustCompile(`ERROR|exited by a signal`),
	}
}

// counts is how many handshakes of each kind of client were resumed, before and after a tls.reload.
type counts [][2]int

// visit lets each kind of client come back, makes Kamailio read its certificates again, and lets them come again.
func visit(t *testing.T, p *harness.Program) (resumed counts) {
	t.Helper()
	load := func(arguments ...string) harness.Result {
		t.Helper()
		// Kamailio sends no close_notify: the client does.
		r, err := harness.Load(p.Port, append(arguments, "--by-length")...)
		if err != nil || r.Errors != 0 {
			t.Fatalf("%v: %+v %v\n%s", arguments, r, err, p.Log())
		}
		return r
	}
	for i, client := range harness.Clients {
		file := filepath.Join(p.Dir, fmt.Sprint("sessions", i))
		arguments := append([]string{"--tls", client.Version}, client.Arguments...)
		made := load(append(arguments, "--sessions", "10", "--attempts", "40", "--save", file)...)
		output, err := exec.Command("kamcmd", "-s", "unix:"+filepath.Join(p.Dir, "ctl"), "tls.reload").CombinedOutput()
		if err != nil || !strings.Contains(string(output), "reloaded") {
			t.Fatalf("tls.reload: %v: %s\n%s", err, output, p.Log())
		}
		after := 0
		if saved, err := os.Stat(file); err == nil && saved.Size() > 0 { // without a cache there are none that are no tickets
			after = load(append(arguments, "--load", file, "--attempts", "40")...).Resumed
		}
		resumed = append(resumed, [2]int{made.Resumed, after})
	}
	return resumed
}

// why is what gosess says of such a server.
const why = "serving without a cache: this server keeps OpenSSL's objects in memory that its processes share"

// Kamailio serves before and after a tls.reload, with libssl's cache on and off, its processes live, and it resumes as many as
// without gosess.
func TestKamailio(t *testing.T) {
	harness.NeedBuild(t)
	for _, cache := range []int{0, 1} {
		t.Run(fmt.Sprint("session_cache=", cache), func(t *testing.T) {
			t.Parallel()
			run := func(t *testing.T, dir string, env []string) counts {
				t.Helper()
				p := newKamailio(t, dir, env, cache)
				t.Cleanup(func() {
					alive := p.Master().Alive()
					if err := p.Stop(); err != nil {
						t.Error(err)
					}
					if how := p.Ended(); !alive || how != "exit status 0" {
						t.Errorf("Kamailio ended with %q, by itself: %v", how, !alive)
					}
					said := false
					for _, line := range p.Problems() {
						if env != nil && strings.HasSuffix(line, why) {
							said = true
							continue
						}
						t.Errorf("log: %s", line)
					}
					if said != (env != nil) {
						t.Errorf("gosess says why it keeps out: %v", said)
					}
				})
				if err := p.Start(); err != nil {
					t.Fatal(err)
				}
				return visit(t, p)
			}
			without := run(t, harness.TempDir(t), nil)
			harness.EachStore(t, func(t *testing.T, dir string, env []string) {
				for i, with := range run(t, dir, env) {
					if with != without[i] {
						t.Errorf("%s: resumed %v before and after a reload, and %v without gosess", harness.Clients[i].Name, with, without[i])
					}
				}
			})
		})
	}
}
