package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCandidates(t *testing.T) {
	for _, test := range []struct {
		line string // the last word, perhaps empty, is completed
		want string // some of the candidates
		not  string
	}{
		{"", "stats", "__complete"},
		{"st", "stats", "run"},
		{"__", "", "__complete"},
		{"stats ", files, "--json"},
		{"stats --", "--json", "--tickets"},
		{"stats shm:/x --j", "--json", "--pid"},
		{"run --tickets ", "stateful", files},
		{"run --tickets sh", "shared", "stateful"},
		{"run --keys ", files, "--keys"},
		{"run nginx --ca", files, "--cache"},
		{"run --cache shm: nginx -", files, "--cache"},
		{"run --cache shm: --l", "--log", files},
		{"completion ", "fish", files},
		{"help che", "check", "stats"},
		{"unknown ", "", "stats"},
	} {
		r := gosess(t, home, nil, append([]string{"__complete", "--"}, strings.Split(test.line, " ")...)...)
		var found []string
		for line := range strings.Lines(r.stdout) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			found = append(found, word)
		}
		if r.status != 0 || r.stderr != "" || (test.want != "" && !slices.Contains(found, test.want)) || slices.Contains(found, test.not) {
			t.Errorf("%q: %q", test.line, found)
		}
	}
}

// The scripts are the shells' own language; bash, which is always there, is asked what it makes of a line.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		r := gosess(t, home, nil, "completion", shell)
		if r.status != 0 || !strings.Contains(r.stdout, "gosess __complete -- ") {
			t.Errorf("%s: %+v", shell, r)
		}
		if _, err := exec.LookPath(shell); err != nil {
			continue
		}
		script := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(script, []byte(r.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		if output, err := exec.Command(shell, "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, output)
		}
	}
	ask := `source <(gosess completion bash); COMP_WORDS=(gosess run --tickets s); COMP_CWORD=3; _gosess; echo "${COMPREPLY[@]}"`
	cmd := exec.Command("bash", "-c", ask)
	cmd.Env = append(os.Environ(), "GOSESS_TEST_MAIN=1", fmt.Sprintf("PATH=%s/bin:%s", home, os.Getenv("PATH")))
	output, err := cmd.CombinedOutput()
	if err != nil || string(output) != "stateful shared shared,override\n" {
		t.Errorf("%v: %q", err, output)
	}
}
