package versions_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// unseen is what libssl 1.1.1 has no getter for.
var unseen = []string{"host", "second-host", "email", "address"}

// Are contexts kept apart that verify clients otherwise, whatever getters the libssl has?
func TestVerification(t *testing.T) {
	const source = "tests/c/programs/verification.c"
	text, err := os.ReadFile("../../" + source)
	if err != nil {
		t.Fatal(err)
	}
	scenarios := regexp.MustCompile(`(?m)^    \{"([a-z-]+)", with_`).FindAllStringSubmatch(string(text), -1)
	if len(scenarios) == 0 {
		t.Fatal("no scenarios in ", source)
	}
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		program := v.Compile(t, source, v.Library(t))
		environment, err := harness.Preload("shm:?size=1m")
		if err != nil {
			t.Fatal(err)
		}
		for _, scenario := range scenarios {
			want := "differs: full|owner: resumed|same: resumed|owner: resumed|set later: full"
			for _, name := range unseen {
				if v.Name == "1.1.1" && scenario[1] == name {
					want = "differs: resumed|owner: resumed|same: resumed|owner: resumed|set later: resumed"
				}
			}
			stdout, stderr := v.Run(t, environment, program, scenario[1])
			if got := strings.ReplaceAll(strings.TrimSpace(stdout), "\n", "|"); got != want || stderr != "" {
				t.Errorf("%s: %s, not %s\n%s", scenario[1], got, want, stderr)
			}
		}
	})
}
