package versions_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// unseen is what libssl 1.1.1 has no getter for.
var unseen = []string{"host", "second-host", "email", "address"}

const (
	told = "differs: full|owner: resumed|same: resumed|owner: resumed|set later: full"
	// What nobody can know of another context: its own sessions are kept in its process.
	untold = "differs: full|owner: resumed|same: full|owner: resumed|set later: full"
	// Both before and after.
	untoldAlways = "differs: full|owner: resumed|same: full|owner: resumed|set later: resumed"
)

// Are contexts kept apart that verify clients otherwise, whatever getters the libssl has?
func TestVerification(t *testing.T) {
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		settings(t, v, "verification", func(scenario string) string {
			switch {
			case v.Name != "1.1.1" || !slices.Contains(unseen, scenario):
				return told
			case scenario == "second-host":
				return untoldAlways
			}
			return untold
		})
		settings(t, v, "untold", func(string) string { return untold })
	})
}

// settings runs the scenarios of a program that are about one setting.
func settings(t *testing.T, v versions.Installed, name string, want func(scenario string) string) {
	t.Helper()
	source := "tests/c/programs/" + name + ".c"
	text, err := os.ReadFile("../../" + source)
	if err != nil {
		t.Fatal(err)
	}
	scenarios := regexp.MustCompile(`(?m)^    \{"([a-z-]+)", with_`).FindAllStringSubmatch(string(text), -1)
	if len(scenarios) == 0 {
		t.Fatal("no scenarios in ", source)
	}
	program := v.Compile(t, source, v.Library(t))
	environment, err := harness.Preload("shm:?size=1m")
	if err != nil {
		t.Fatal(err)
	}
	for _, scenario := range scenarios {
		stdout, stderr := v.Run(t, environment, program, scenario[1])
		got := strings.ReplaceAll(strings.TrimSpace(stdout), "\n", "|")
		if want := want(scenario[1]); got != want || stderr != "" {
			t.Errorf("%s: %s, not %s\n%s", scenario[1], got, want, stderr)
		}
	}
}
