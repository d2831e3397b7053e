package window_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// machines runs a scenario of two machines, in the versions of TLS that the options are of.
type machines struct {
	program  string
	scenario string
	options  string // of the URLs
	agent    bool
	answers  bool
	says     int // lines, of children that have no Go half
}

// run returns what it prints.
func (m machines) run(t testing.TB, version string) string {
	t.Helper()
	harness.NeedBuild(t)
	top, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	sources, err := harness.Library()
	if err != nil {
		t.Fatal(err)
	}
	program := workshop.Compile(t, m.program, "cc", append(append([]string{"-Wall", "-Wextra", "-Werror", "-Iinclude", "-Lbuild",
		"tests/window/programs/" + m.program + ".c"}, sources...), "-lgosess", "-lssl", "-lcrypto", "-lpthread")...)
	dir := t.TempDir()
	keys, a, b := filepath.Join(dir, "keys"), filepath.Join(dir, "a"), filepath.Join(dir, "b")
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n"
	if err := os.WriteFile(keys, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := []string{"LD_LIBRARY_PATH=" + filepath.Join(top, "build"), "STORE_A=" + a, "STORE_B=" + b,
		"OPTIONS=" + m.options + "keys=" + keys, "KEYS=" + keys, "GOSESS=" + filepath.Join(top, "build", "gosess")}
	if strings.HasPrefix(m.scenario, "tickets") {
		environment = append(environment, "GOSESS_TICKETS=shared")
	}
	if m.agent {
		stores := []string{a, b}
		if m.program == "costs" {
			stores = stores[:1] // the other one is alone
		}
		newFleet(t, m.answers, stores...)
		environment = append(environment, "AGENT=1")
	}
	stdout, stderr, err := harness.Execute(environment, program, version, m.scenario)
	if err != nil || len(harness.Logged(stderr)) != m.says {
		t.Errorf("%v: it printed %q\n%.4000s", err, stdout, stderr)
	}
	return stdout
}

func TestMachines(t *testing.T) {
	t.Parallel()
	const once = "single-use=tls13&"
	for _, m := range []machines{
		{"machines", "shared", "", true, true, 0},
		{"machines", "unknown", "", true, true, 0},
		{"machines", "removed", "", true, true, 0},
		{"machines", "flushed", "", true, true, 0},
		{"machines", "context-flushed", "", true, true, 0},
		{"machines", "once", once, true, true, 0},
		{"machines", "raced-for", once, true, true, 0},
		{"machines", "keys", "", true, true, 0},
		{"machines", "alone", "", false, false, 0},
		{"machines", "once-alone", once, false, false, 0},
		{"machines", "tickets", "", true, true, 0},
		{"machines", "tickets-alone", "", false, false, 0},
		{"machines", "stopped", "", true, false, 0},
	} {
		for _, version := range []string{"--tls1.2", "--tls1.3"} {
			if m.options == once && version == "--tls1.2" {
				continue
			}
			t.Run(m.scenario+version, func(t *testing.T) {
				t.Parallel()
				m.run(t, version)
			})
		}
	}
}

// What happens in a process while one of its handshakes waits costs nobody a handshake, and the agent no slot.
func TestWaits(t *testing.T) {
	t.Parallel()
	for scenario, says := range map[string]int{"handler": 0, "spawned": 0, "forked": 1, "killed": 0, "cancelled": 0, "fibres": 0} {
		for _, version := range []string{"--tls1.2", "--tls1.3"} {
			t.Run(scenario+version, func(t *testing.T) {
				t.Parallel()
				machines{program: "waits", scenario: scenario, agent: true, says: says}.run(t, version)
			})
		}
	}
}
