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
	scenario string
	options  string // of the URLs
	agent    bool
	answers  bool
}

func (m machines) run(t *testing.T, version string) {
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
	program := workshop.Compile(t, "machines", "cc", append(append([]string{"-Wall", "-Wextra", "-Werror", "-Iinclude", "-Lbuild",
		"tests/window/programs/machines.c"}, sources...), "-lgosess", "-lssl", "-lcrypto", "-lpthread")...)
	dir := t.TempDir()
	keys, a, b := filepath.Join(dir, "keys"), filepath.Join(dir, "a"), filepath.Join(dir, "b")
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n"
	if err := os.WriteFile(keys, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := []string{"LD_LIBRARY_PATH=" + filepath.Join(top, "build"), "STORE_A=" + a, "STORE_B=" + b,
		"OPTIONS=" + m.options + "keys=" + keys}
	if strings.HasPrefix(m.scenario, "tickets") {
		environment = append(environment, "GOSESS_TICKETS=shared")
	}
	if m.agent {
		newFleet(t, m.answers, a, b)
		environment = append(environment, "AGENT=1")
	}
	stdout, stderr, err := harness.Execute(environment, program, version, m.scenario)
	if err != nil || len(harness.Logged(stderr)) > 0 {
		t.Errorf("%v: it printed %q\n%.4000s", err, stdout, stderr)
	}
}

func TestMachines(t *testing.T) {
	t.Parallel()
	const once = "single-use=tls13&"
	for _, m := range []machines{
		{"shared", "", true, true},
		{"unknown", "", true, true},
		{"removed", "", true, true},
		{"flushed", "", true, true},
		{"context-flushed", "", true, true},
		{"once", once, true, true},
		{"raced-for", once, true, true},
		{"alone", "", false, false},
		{"once-alone", once, false, false},
		{"tickets", "", true, true},
		{"tickets-alone", "", false, false},
		{"stopped", "", true, false},
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
