// Package shim_test asks what programs in C see that call libssl through gosess. They are
// compiled here, because many of the questions need them compiled in a way of their own.
package shim_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/internal/inspect"
	"gosess/sessioncache"
	"gosess/tests/harness"
)

var workshop harness.Workshop

func TestMain(m *testing.M) { os.Exit(workshop.Main(m)) }

var libraries = []string{"-lssl", "-lcrypto", "-ldl", "-lpthread"}

// sources are the program's file and the test library.
func sources(t *testing.T, program string) []string {
	t.Helper()
	return []string{harness.ProgramFile("shim", program), workshop.Library(t)}
}

// program compiles a program.
func program(t *testing.T, name string) string {
	t.Helper()
	return workshop.Compile(t, name, "cc", append(sources(t, name), libraries...)...)
}

// object compiles a library of one source, to be preloaded or to stand in for the Go half.
func object(t *testing.T, name, source string, more ...string) string {
	t.Helper()
	return workshop.Compile(t, name+".so", "cc", append([]string{"-shared", "-fPIC", source}, more...)...)
}

// standIn compiles the stand-in for the Go half, with these definitions.
func standIn(t *testing.T, name string, definitions ...string) string {
	t.Helper()
	return object(t, name, "tests/c/cores/memory.c", definitions...)
}

// host is a program to run.
type host struct {
	path      string
	arguments []string
	library   string   // preloaded; "" is none
	cache     string   // GOSESS_CACHE; "" is unset
	second    bool     // behind a cache of the host's own, which gosess is told in GOSESS_CACHE
	env       []string // more
	fails     bool     // it is to end with an error
}

func library(t *testing.T) string {
	t.Helper()
	path, err := harness.Built("libgosess.so")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// served is a program with the library and a store of its own.
func served(t *testing.T, name string, arguments ...string) host {
	t.Helper()
	return host{path: program(t, name), arguments: arguments, library: library(t), cache: "shm:?size=1m"}
}

// plain is a program without gosess.
func plain(t *testing.T, name string, arguments ...string) host {
	t.Helper()
	return host{path: program(t, name), arguments: arguments}
}

// said is what a program wrote.
type said struct {
	out    string
	lines  []string // of gosess, without the process id
	stderr string   // all of it
}

// run runs a program to the end that it should have.
func (h host) run(t *testing.T) said {
	t.Helper()
	s, err := h.end(t)
	if (err != nil) != h.fails {
		t.Fatalf("%s %v: %v\n%s%s", h.path, h.arguments, err, s.out, s.stderr)
	}
	return s
}

// end runs a program to its end, and says how that was.
func (h host) end(t *testing.T) (said, error) {
	t.Helper()
	var env []string
	if h.library != "" {
		env = append(env, "LD_PRELOAD="+h.library)
	}
	if h.cache != "" {
		tier := ""
		if h.second {
			tier = "&tier=second"
		}
		env = append(env, "GOSESS_CACHE="+h.cache+tier)
	}
	stdout, stderr, err := harness.Execute(append(env, h.env...), h.path, h.arguments...)
	return said{out: stdout, lines: harness.Logged(stderr), stderr: stderr}, err
}

// wants fails the test where a program printed other lines.
func (s said) wants(t *testing.T, lines ...string) {
	t.Helper()
	if want := strings.Join(lines, "\n"); strings.TrimSuffix(s.out, "\n") != want {
		t.Errorf("printed:\n%swanted:\n%s\nstderr:\n%s", s.out, want, s.stderr)
	}
}

// logs fails the test where gosess did not log just lines that hold these texts, in order.
func (s said) logs(t *testing.T, texts ...string) {
	t.Helper()
	good := len(s.lines) == len(texts)
	for i := range texts {
		good = good && strings.Contains(s.lines[i], texts[i])
	}
	if !good {
		t.Errorf("gosess logged %q, not %q", s.lines, texts)
	}
}

// only keeps the lines with a prefix.
func only(text, prefix string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// counted gives a program a store with a path, runs it, and reads the store's counters.
func (h host) counted(t *testing.T) (said, sessioncache.Counters) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store")
	h.cache = "shm:" + path + "?size=1m"
	s := h.run(t)
	return s, counters(t, path)
}

func counters(t *testing.T, path string) sessioncache.Counters {
	t.Helper()
	return stats(t, path).Total
}

func stats(t *testing.T, path string) sessioncache.Stats {
	t.Helper()
	store, err := inspect.ByURL("shm:"+path, inspect.ToRead)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	stats, err := store.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

var versions = []string{"--tls1.2", "--tls1.3"}
