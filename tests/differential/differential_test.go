// Package differential_test asks whether a program can tell gosess from libssl's own session
// cache: each program runs with libssl alone, and with gosess in its place, and has to print the
// same. What is meant to differ is in README.md, and in testdata.
package differential_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// libssl 3.x holds one session less than it is asked to (L31), gosess as many.
const alike = "--spare=1"

var versions = []string{"1.2", "1.3"}

// What a shared store has in common with libssl's cache depends on what a scenario is about:
// these have nothing to do with the cache of one process.
var programs = []struct {
	name   string
	shared []string
}{
	{name: "modes"},
	{name: "returns"},
	{name: "calls"},
	{name: "times"},
	{name: "ids"},
	{name: "sizes"},
	{name: "names"},
	{"protocol", []string{
		"refused-server", "refused-client", "another-version", "unfinished",
		"ways-to-end",
	}},
	{"early", []string{"no-anti-replay", "stateful-no-anti-replay"}},
	{"hosts", []string{"nginx-shared", "nginx-off", "httpd", "haproxy", "s_server", "live-objects"}},
}

// meant are the scenarios, with the versions of TLS, that differ and should (README.md says
// why). What they print with gosess is in testdata, to the letter.
var meant = map[string]bool{
	"times/changing-times/1.2":        true,
	"times/changing-times/1.3":        true,
	"ids/making-an-id-twice/1.2":      true,
	"ids/making-an-id-twice/1.3":      true,
	"ids/making-ids/1.3":              true,
	"times/chain/1.3":                 true,
	"early/hello-retry/1.3":           true,
	"names/another-name/1.2":          true,
	"names/another-name/1.3":          true,
	"protocol/ids-beside-tickets/1.2": true,
	"protocol/without-id-context/1.2": true,
	"protocol/without-id-context/1.3": true,
	"sizes/held/1.2":                  true,
	"sizes/held/1.3":                  true,
}

var workshop harness.Workshop

func TestMain(m *testing.M) { os.Exit(workshop.Main(m)) }

// compile compiles a program of this folder.
func compile(t *testing.T, name string, with ...string) string {
	t.Helper()
	arguments := append([]string{"tests/differential/programs/" + name + ".c", workshop.Library(t)}, with...)
	return workshop.Compile(t, name, "cc", append(arguments, "-lssl", "-lcrypto", "-lpthread")...)
}

// execute runs a program, with the library where it is not "plain", and with GOSESS_CACHE where
// it is not "unset" either. It returns what it printed; it must end well, and gosess log nothing.
func execute(t *testing.T, cache, path string, arguments ...string) (output string) {
	t.Helper()
	if cache == "unset" {
		cache = ""
	}
	var env []string
	if cache != "plain" {
		var err error
		if env, err = harness.Preload(cache); err != nil {
			t.Fatal(err)
		}
	}
	output, stderr, err := harness.Execute(env, path, arguments...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", path, arguments, err, tail(output), stderr)
	}
	if strings.Contains(stderr, "gosess:") {
		t.Errorf("%s %v: %s", path, arguments, stderr)
	}
	return output
}

func tail(text string) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

// section is what one scenario printed.
type section struct{ name, text string }

func sections(t *testing.T, output string) []section {
	t.Helper()
	var all []section
	for _, text := range strings.Split(output, "== ")[1:] {
		name, _, _ := strings.Cut(text, "\n")
		all = append(all, section{name, text})
	}
	if len(all) == 0 {
		t.Fatal("no scenario")
	}
	return all
}

// difference says where two texts begin to differ, and after what.
func difference(want, got string) string {
	left, right := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			before := left[:i]
			for j := i - 1; j >= 0; j-- {
				if strings.HasPrefix(left[j], "-- ") {
					before = left[j:i]
					break
				}
			}
			return strings.Join(before, "\n") + "\n< " + left[i] + "\n> " + right[i]
		}
	}
	return "one is longer"
}

func compare(t *testing.T, want, got string, expected func(t *testing.T, name, want string) string) {
	t.Helper()
	left, right := sections(t, want), sections(t, got)
	if len(left) != len(right) {
		t.Fatalf("%d scenarios, not %d", len(right), len(left))
	}
	for i := range left {
		t.Run(left[i].name, func(t *testing.T) {
			if want := expected(t, left[i].name, left[i].text); want != right[i].text {
				t.Error(difference(want, right[i].text))
			}
		})
	}
}

func unchanged(_ *testing.T, _, want string) string { return want }

// Does a program see the same with gosess as its internal cache as with libssl's own, but for
// what is meant; and exactly the same where no cache is asked for?
func TestSameAsLibssl(t *testing.T) {
	for _, program := range programs {
		for _, version := range versions {
			t.Run(program.name+" "+version, func(t *testing.T) {
				t.Parallel()
				path := compile(t, program.name, "tests/differential/programs/record.c")
				plain := execute(t, "plain", path, "--tls"+version, alike)
				t.Run("memory", func(t *testing.T) {
					compare(t, plain, execute(t, "memory:", path, "--tls"+version),
						func(t *testing.T, name, want string) string {
							key := program.name + "/" + name + "/" + version
							if !meant[key] {
								return want
							}
							file := strings.ReplaceAll(key, "/", "-") + ".txt"
							other, err := os.ReadFile(filepath.Join("testdata", file))
							if err != nil {
								t.Fatal(err)
							}
							if string(other) == want {
								t.Errorf("%s is meant to differ, and does not", key)
							}
							return string(other)
						})
				})
				if version != "1.2" && !harness.All() {
					return
				}
				t.Run("unset", func(t *testing.T) {
					compare(t, plain, execute(t, "unset", path, "--tls"+version, alike), unchanged)
				})
			})
		}
	}
}

// Does a program with a cache of its own see the same where gosess is one more tier behind it?
func TestSharedStoreBehindOthers(t *testing.T) {
	for _, program := range programs {
		if program.shared == nil {
			continue
		}
		for _, version := range versions {
			t.Run(program.name+" "+version, func(t *testing.T) {
				t.Parallel()
				path := compile(t, program.name, "tests/differential/programs/record.c")
				arguments := append([]string{"--tls" + version, "--shared"}, program.shared...)
				compare(t, execute(t, "plain", path, arguments...),
					execute(t, "shm:?size=8m", path, arguments...), unchanged)
			})
		}
	}
}

// Does anything stay of many resumptions? TIMES says of how many.
func TestSoak(t *testing.T) {
	times := os.Getenv("TIMES")
	if times == "" {
		times = harness.Times(100000)
	}
	for _, cache := range []string{"memory:", "shm:?size=8m"} {
		t.Run(cache, func(t *testing.T) {
			got := execute(t, cache, compile(t, "load"), "soak", times, "2")
			if want := "0 not resumed\n0 more sessions, 0 in the cache\nmemory flat\n"; got != want {
				t.Errorf("printed:\n%s", got)
			}
		})
	}
}
