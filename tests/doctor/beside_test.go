package doctor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// besideEnv names the file that says what the doctor and testssl.sh have said of each configuration: make doctor.
const besideEnv = "GOSESS_TEST_TESTSSL"

// beside is what both have said.
var beside struct {
	sync.Mutex
	rows []string
}

// What testssl.sh has to say of sessions (3.0), in the order in which it does.
var testsslSays = []string{"TLS_session_ticket", "SSL_sessionID_support", "sessionresumption_ticket", "sessionresumption_ID"}

// lookBeside has testssl.sh look at each address too.
func lookBeside(t *testing.T, name string, ports []int, told []string) {
	t.Helper()
	if os.Getenv(besideEnv) == "" {
		return
	}
	var said []string
	for _, address := range at(ports...) {
		if text := testssl(t, address); !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	what := strings.Join(told, ", ")
	if what == "" {
		what = "nothing is wrong"
	}
	server, _, _ := strings.Cut(strings.TrimPrefix(t.Name(), "Test"), "/")
	beside.Lock()
	defer beside.Unlock()
	beside.rows = append(beside.rows, fmt.Sprintf("| %s: %s | %s | %s |", server, name, what, strings.Join(said, "; at another address: ")))
}

func testssl(t *testing.T, address string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "said.json")
	// It takes ten seconds, and on a busy machine as long as it likes.
	output, err := exec.CommandContext(t.Context(), "testssl", "-S", "--quiet", "--color", "0", "--warnings", "batch", "--jsonfile", file, address).CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended { // its status is a number of findings
		t.Fatalf("%v: %s", err, output)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "it cannot connect"
	}
	var findings []struct{ ID, Finding string }
	if err := json.Unmarshal(text, &findings); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var parts []string
	for _, id := range testsslSays {
		for _, f := range findings {
			if f.ID == id {
				parts = append(parts, f.Finding)
			}
		}
	}
	if len(parts) == 0 {
		return "it cannot connect"
	}
	return strings.Join(parts, "; ")
}

// writeBeside writes the table, where it is asked for.
func writeBeside() error {
	path := os.Getenv(besideEnv)
	if path == "" {
		return nil
	}
	slices.Sort(beside.rows)
	text := `# What gosess doctor and testssl.sh say

Written by ` + "`make doctor`" + `: each configuration of ` + "`tests/doctor`" + `, what the doctor finds of it (the codes of [operating.md](operating.md)), and what testssl.sh (Debian's, ` + "`testssl -S`" + `) says of tickets and
sessions. The doctor is right about all of them: the tests want it so, with the lines that change each. testssl.sh looks at each address by itself.

| configuration | gosess doctor | testssl.sh |
|---|---|---|
` + strings.Join(beside.rows, "\n") + "\n"
	return os.WriteFile(path, []byte(text), 0o644)
}
