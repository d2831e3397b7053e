// Package cases_test asks whether a host that does what real ones do, and should not, is ever worse
// off with gosess than without: each program runs alone, and with each store of gosess, for each
// libssl. What it prints is the same, but for what the tables say.
package cases_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// scenario is one scenario of a program, and what it prints: lines with "|" between. A line that ends
// with "full or resumed" ends with either word.
//
// With gosess it prints what it prints alone, where nothing else is said. What may differ, and how:
//   - resumptions that the rules allow and libssl alone does not give: "full or resumed", or "resumed"
//     where they are promised;
//   - full handshakes, and refused clients, where libssl alone resumes a session although a full
//     handshake would show another certificate, demand one of the client, or serve another name;
//   - what cannot be known before the session is looked up: "full or resumed".
type scenario struct {
	name    string
	alone   string
	served  string // with gosess, whatever the store
	memory  string // with memory:, where that differs from served
	only    string // the only version of TLS that it is about
	heavy   bool   // it takes long: with the system's libssl alone
	options string // of the URL, in addition
	// With a shared store a client is turned away, and the log says so.
	turnsAway bool
}

// wants is what a scenario prints with a store of gosess; "" is what it printed alone.
func (s scenario) wants(store string) string {
	if store == "memory" && s.memory != "" {
		return s.memory
	}
	return s.served
}

// matches says whether lines are as wanted.
func matches(printed, wanted string) bool {
	lines := strings.Split(wanted, "|")
	for i, line := range lines {
		lines[i] = either.ReplaceAllString(regexp.QuoteMeta(line), "($1|$2)")
	}
	return regexp.MustCompile("^" + strings.Join(lines, `\|`) + "$").MatchString(printed)
}

var either = regexp.MustCompile(`(\w+) or (\w+)$`)

var stores = []struct{ name, url string }{
	{"memory", "memory:?size=64m"},
	{"shm", "shm:?size=4m"},
}

// environment is that of a program with a store; alone where there is no URL.
func environment(t *testing.T, url string) []string {
	t.Helper()
	if url == "" {
		return nil
	}
	environment, err := harness.Preload(url)
	if err != nil {
		t.Fatal(err)
	}
	return environment
}

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// Is a host never worse off, and no session resumed that must not be?
func TestCases(t *testing.T) {
	versions.Few(t, func(t *testing.T, v versions.Installed) {
		library := v.Library(t)
		for name, scenarios := range programs {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				program := v.Compile(t, harness.ProgramFile("cases", name), library)
				for _, s := range scenarios {
					if !s.heavy || v.Name == "system" {
						t.Run(s.name+s.only+s.options, func(t *testing.T) { s.run(t, v, program) })
					}
				}
			})
		}
	})
}

// run runs a scenario with each version of TLS, alone and with each store.
func (s scenario) run(t *testing.T, v versions.Installed, program string) {
	for _, version := range []string{"1.2", "1.3"} {
		if s.only != "" && s.only != version {
			continue
		}
		t.Run("tls"+version, func(t *testing.T) {
			t.Parallel()
			run := func(t *testing.T, url string) string {
				stdout, stderr := v.Run(t, environment(t, url), program, "--tls"+version, s.name)
				if turned := strings.Contains(stderr, "a client is turned away"); stderr != "" && !turned ||
					turned != (s.turnsAway && strings.HasPrefix(url, "shm:")) {
					t.Errorf("it says %q", stderr)
				}
				return strings.ReplaceAll(strings.TrimSpace(stdout), "\n", "|")
			}
			alone := run(t, "")
			if !matches(alone, s.alone) {
				t.Errorf("alone it printed %s\nwanted             %s", alone, s.alone)
			}
			for _, store := range stores {
				t.Run(store.name, func(t *testing.T) {
					printed, want := run(t, store.url+s.options), s.wants(store.name)
					if want == "" && printed != alone || want != "" && !matches(printed, want) {
						t.Errorf("printed %s\nwanted  %s\nalone   %s", printed, want, alone)
					}
				})
			}
		})
	}
}
