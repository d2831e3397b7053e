package versions_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// What a program observes is the same with every libssl, and without a cache, or with one that is
// nobody else's, the same as without the library. testdata/served.txt differs from
// testdata/alone.txt in what a cache that is shared by contexts and processes changes, and in
// nothing else.
func TestResume(t *testing.T) {
	versions.Each(t, func(t *testing.T, v versions.Installed) {
		program := v.Compile(t, "tests/versions/programs/resume.c")
		authority, err := harness.NewAuthority(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := authority.Issue("first.test")
		if err != nil {
			t.Fatal(err)
		}
		// The workers that the program forks after it has served itself have libssl's own cache.
		late := regexp.MustCompile(`^gosess: \[\d+\] serving without a cache: this process was forked from one that had loaded the Go half\n$`)
		silent := regexp.MustCompile(`^$`)
		for _, test := range []struct {
			name, expects string
			preloaded     bool
			cache         string
			core          string // whether the Go half is loaded before and after it has served
			says          *regexp.Regexp
		}{
			{"alone", "alone.txt", false, "", "core=0 core=0", silent},
			{"no cache", "alone.txt", true, "", "core=0 core=0", silent},
			{"memory", "alone.txt", true, "memory:", "core=0 core=1", late},
			{"shm", "served.txt", true, "shm:?size=1m&tier=second", "core=0 core=1", late},
		} {
			t.Run(test.name, func(t *testing.T) {
				var environment []string
				if test.preloaded {
					if environment, err = harness.Preload(test.cache); err != nil {
						t.Fatal(err)
					}
				}
				stdout, stderr := v.Run(t, environment, program, certificate.Cert, certificate.Key)
				if !test.says.MatchString(stderr) {
					t.Errorf("it says %q", stderr)
				}
				version, observed, _ := strings.Cut(stdout, "\n")
				t.Log(version)
				if v.Name != "system" && !strings.HasPrefix(version, "OpenSSL "+v.Name) {
					t.Errorf("it ran with %s", version)
				}
				if got := strings.Join(cores.FindAllString(observed, -1), " "); got != test.core {
					t.Errorf("%s, not %s", got, test.core)
				}
				compare(t, cores.ReplaceAllString(observed, "core"), test.expects)
			})
		}
	})
}

var cores = regexp.MustCompile(`(?m)^core=[01]$`)

func compare(t *testing.T, observed, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	got, want := strings.Split(observed, "\n"), strings.Split(string(text), "\n")
	if len(got) != len(want) {
		t.Errorf("%d lines, %s has %d:\n%s", len(got), file, len(want), observed)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}
