package main

import (
	"os"
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

// The scripts are the shells' own language: somebody sits at each of them and presses the tab.
func TestCompletionScripts(t *testing.T) {
	store := filepath.Join(t.TempDir(), "web")
	if err := os.WriteFile(store, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for shell := range shells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			typist := sitDown(t, shell)
			for line, want := range map[string]string{
				"gosess vers":             "gosess version ",
				"gosess keys ex":          "gosess keys export ",
				"gosess stats --js":       "gosess stats --json ",
				"gosess run --tickets st": "gosess run --tickets stateful ",
				"gosess help doc":         "gosess help doctor ",
				"gosess completion fi":    "gosess completion fish ",
				"gosess run --log off " + store[:len(store)-1]: "gosess run --log off " + store + " ",
				"gosess check " + store[:len(store)-1]:         "gosess check " + store + " ",
				"gosess stats shm:" + store[:len(store)-1]:     "gosess stats shm:" + store + " ",
			} {
				if got := typist.complete(t, line); got != want {
					t.Errorf("%q becomes %q, not %q", line, got, want)
				}
			}
		})
	}
	if r := gosess(t, home, nil, "completion", "zsh"); !strings.HasPrefix(r.stdout, "#compdef gosess\n") {
		t.Errorf("zsh's fpath wants it so: %+v", r)
	}
}
