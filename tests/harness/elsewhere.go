package harness

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rootVariable names the root directory of a system to the tests of a package that RunAll runs.
const rootVariable = "GOSESS_TESTS_ROOT"

// TestedSystem is where the servers of a package's tests come from: this machine, but where RunAll says otherwise.
func TestedSystem() System { return System{Root: os.Getenv(rootVariable)} }

// RunAll runs all tests of a package with the servers of this system, but for some, of which it is said why; and its matrix
// alone where not all are asked for. Each runs in a process of its own, several at once, and counts as if it ran here.
func (s System) RunAll(t *testing.T, except map[string]string) {
	t.Helper()
	runAll(t, rootVariable+"="+s.Root, except, (*testing.T).Parallel)
}

// RunAll is the same of tests that compile programs and execute them, for another processor. One runs after the other.
func (m Machine) RunAll(t *testing.T, except map[string]string) {
	t.Helper()
	runAll(t, machineVariable+"="+string(m), except, (*testing.T).Helper)
}

func runAll(t *testing.T, variable string, except map[string]string, begin func(*testing.T)) {
	t.Helper()
	listed, err := exec.Command(os.Args[0], "-test.list", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	tests := strings.Fields(string(listed))
	for name := range except {
		if !slices.Contains(tests, name) {
			t.Errorf("there is no %s to be left out", name)
		}
	}
	for _, name := range tests {
		if name == t.Name() || except[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if name != "TestMatrix" {
				OnlyWhereAll(t)
			}
			begin(t)
			runElsewhere(t, variable, name)
		})
	}
}

var verdict = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+)`)

// runElsewhere runs one of them, and repeats what has become of it, or of its parts.
func runElsewhere(t *testing.T, variable, name string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+name+"$", "-test.v", "-test.timeout=15m")
	cmd.Env = append(os.Environ(), variable)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	verdicts := verdict.FindAllStringSubmatch(output.String(), -1)
	for i, v := range verdicts {
		if i+1 < len(verdicts) && strings.HasPrefix(verdicts[i+1][2], v[2]+"/") {
			continue // a test is printed before its parts
		}
		repeat := func(t *testing.T) {
			switch v[1] {
			case "FAIL":
				t.Error("see the end of " + name)
			case "SKIP":
				t.Skip("see the end of " + name)
			}
		}
		if part, found := strings.CutPrefix(v[2], name+"/"); found {
			t.Run(part, repeat)
		}
	}
	if err != nil || len(verdicts) == 0 || strings.Contains(output.String(), "--- SKIP") {
		t.Logf("%v\n%s", err, output.String())
	}
	switch {
	case err != nil || len(verdicts) == 0:
		t.Fail()
	case len(verdicts) == 1 && verdicts[0][1] == "SKIP":
		t.SkipNow()
	}
}
