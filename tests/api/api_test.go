// Package api_test calls every function of include/gosess.h from programs in C that are linked
// with the library as it is built.
package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

var (
	urls        = []string{"memory:", "shm:?size=1m"}
	tlsVersions = []string{"--tls1.2", "--tls1.3"}
	// The order in which a program should be linked.
	libraries = []string{"-lgosess", "-lssl", "-lcrypto", "-lpthread"}
)

var workshop harness.Workshop

func TestMain(m *testing.M) { os.Exit(workshop.Main(m)) }

func libraryFolder(t *testing.T) string {
	t.Helper()
	path, err := harness.Built("libgosess.so")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path)
}

// program compiles tests/api/programs/source.c with what the arguments name, once for a name.
func program(t *testing.T, name, source string, arguments ...string) string {
	t.Helper()
	harness.NeedBuild(t)
	return workshop.Compile(t, name, "cc", append([]string{"-Wall", "-Wextra", "-Werror", "-Iinclude", "-L" + libraryFolder(t),
		"tests/api/programs/" + source + ".c"}, arguments...)...)
}

// linked compiles a program together with the test library.
func linked(t *testing.T, name, source string, libraries ...string) string {
	t.Helper()
	return program(t, name, source, append([]string{workshop.Library(t)}, libraries...)...)
}

// run runs a program to its end, which is to be a good one. It returns what the program
// printed and what gosess logged.
func run(t *testing.T, path string, environment []string, arguments ...string) (printed string, logged []string) {
	t.Helper()
	stdout, stderr, err := harness.Execute(append([]string{"LD_LIBRARY_PATH=" + libraryFolder(t)}, environment...), path, arguments...)
	if err != nil {
		t.Fatalf("%v: %v\n%s%.4000s", arguments, err, stdout, stderr)
	}
	return strings.TrimSuffix(stdout, "\n"), harness.Logged(stderr)
}

// logs fails the test where gosess did not log just one line with that text; "" is none.
func logs(t *testing.T, logged []string, text string) {
	t.Helper()
	if text == "" && len(logged) > 0 || text != "" && (len(logged) != 1 || !strings.Contains(logged[0], text)) {
		t.Errorf("gosess logged %q, not %q", logged, text)
	}
}

// each runs a scenario of a program with each store and each version of TLS. It prints its own
// name when all in it was as it should be.
func each(t *testing.T, source, scenario string, environment func(url string) []string, log string) {
	t.Run(scenario, func(t *testing.T) {
		path := linked(t, source, source, libraries...)
		urls := urls
		if harness.TestedMachine() != "" {
			urls = urls[1:] // the shared store alone: each program takes a second to begin
		}
		for _, url := range urls {
			for _, version := range tlsVersions {
				t.Run(url+version, func(t *testing.T) {
					printed, logged := run(t, path, append(environment(url), "CACHE="+url), version, scenario)
					if printed != strings.ReplaceAll(scenario, "-", " ") {
						t.Errorf("it printed %q", printed)
					}
					logs(t, logged, log)
				})
			}
		}
	})
}

func none(string) []string { return nil }

func TestArguments(t *testing.T) {
	for _, scenario := range []string{"texts", "urls", "error-sizes", "nulls"} {
		each(t, "arguments", scenario, none, "")
	}
}

func TestServing(t *testing.T) {
	for _, scenario := range []string{"attached", "stats-sizes", "close-while-attached", "attach-twice",
		"attach-replaces", "two-caches", "two-contexts", "flush", "remove-session"} {
		each(t, "serving", scenario, none, "")
	}
}

func TestLeaving(t *testing.T) {
	for _, scenario := range []string{"detach", "detach-and-attach", "detach-in-callback", "detach-stateless", "free-context",
		"remove-in-remove", "nested-answers", "add-in-remove", "never-used", "many-caches"} {
		each(t, "leaving", scenario, none, "")
	}
}

func TestCallbacks(t *testing.T) {
	for _, scenario := range []string{"registered", "removed", "without-cache", "attached-too",
		"changed-then-attached"} {
		each(t, "callbacks", scenario, none, "")
	}
	each(t, "callbacks", "ticket-keys", func(string) []string { return []string{"GOSESS_TICKETS=shared"} }, "")
}

func TestProcesses(t *testing.T) {
	for _, scenario := range []string{"workers", "flush-elsewhere"} {
		each(t, "processes", scenario, none, "")
	}
	each(t, "processes", "started-before-fork", none, "was forked from one that had loaded the Go half")
	each(t, "processes", "environment", func(url string) []string { return []string{"GOSESS_CACHE=" + url} }, "")
}

func TestThreads(t *testing.T) { each(t, "processes", "threads", none, "") }

// Without the Go half, or with one that cannot be used, handshakes are full ones.
func TestNoCore(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.so")
	each(t, "arguments", "no-core", func(string) []string { return []string{"GOSESS_CORE=" + missing} }, missing)
}

func TestBadEnvironment(t *testing.T) {
	path := linked(t, "arguments", "arguments", libraries...)
	for _, entry := range []string{"GOSESS_TICKETS=maybe", "GOSESS_LOG=loud", "GOSESS_CORE=relative"} {
		name, value, _ := strings.Cut(entry, "=")
		printed, logged := run(t, path, []string{entry}, "bad-environment")
		if !strings.HasPrefix(printed, name+": ") || !strings.Contains(printed, `"`+value+`"`) || !strings.Contains(printed, "allowed: ") {
			t.Errorf("%s: the error is %q", entry, printed)
		}
		logs(t, logged, "") // the program has it
	}
}

func TestWithoutLibssl(t *testing.T) {
	// It finds neither functions nor their library: only the header is OpenSSL's.
	path := program(t, "without_libssl", "without_libssl", "-lgosess")
	printed, logged := run(t, path, nil)
	want := `start: there is no usable libssl in this process
flush: libgosess-core.so is missing or cannot start here
stats: libgosess-core.so is missing or cannot start here`
	if printed != want {
		t.Errorf("it printed\n%s\nnot\n%s", printed, want)
	}
	logs(t, logged, "OpenSSL 1.1.1 or later is needed")
}

// Does nobody get to a context that is not attached, or was late, with a session of other rules?
func TestUnattached(t *testing.T) {
	for _, scenario := range []string{"early", "late", "made-first"} {
		each(t, "unattached", scenario, none, "")
	}
	path := linked(t, "unattached", "unattached", libraries...)
	for _, version := range tlsVersions {
		t.Run("processes"+version, func(t *testing.T) {
			store := filepath.Join(t.TempDir(), "store")
			printed, logged := run(t, path, []string{"CACHE=shm:" + store + "?size=1m"}, version, "processes")
			if printed != "processes" {
				t.Errorf("it printed %q", printed)
			}
			logs(t, logged, "")
		})
	}
}

// What gosess(3) says of the order in which a program is linked.
func TestLinkOrder(t *testing.T) {
	for name, test := range map[string]struct {
		libraries []string
		answers   string
	}{
		"before": {libraries, "gosess"},
		"behind": {[]string{"-Wl,--no-as-needed", "-lssl", "-lcrypto", "-lgosess", "-lpthread"}, "libssl"},
	} {
		t.Run(name, func(t *testing.T) {
			path := linked(t, "processes-"+name, "processes", test.libraries...)
			printed, logged := run(t, path, []string{"CACHE=shm:?size=1m"}, "mode-later")
			if want := test.answers + " answered"; printed != want {
				t.Errorf("%q, not %q", printed, want)
			}
			logs(t, logged, "")
		})
	}
}
