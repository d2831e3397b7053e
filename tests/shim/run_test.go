// Package shim_test asks what programs in C see that call libssl through gosess. The programs
// are in tests/c; they are compiled here, because many of the questions need them compiled in
// a way of their own.
package shim_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gosess/internal/inspect"
	"gosess/sessioncache"
	"gosess/tests/harness"
)

// patience is how long a program may take: far more than any does.
const patience = 100 * time.Second

var (
	scratch string // what is compiled, for all tests
	root    string
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if root, err = harness.Root(); err == nil {
		scratch, err = os.MkdirTemp("", "gosess-shim-")
	}
	if err == nil {
		err = os.Chmod(scratch, 0o755) // for programs that become another user
	}
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(scratch)
	return m.Run()
}

// built holds what is compiled, so that each is compiled once.
var built = struct {
	sync.Mutex
	done map[string]func() error
}{done: map[string]func() error{}}

// compile makes a file of scratch with a compiler, once, and returns its path.
func compile(t *testing.T, name, compiler string, arguments ...string) string {
	t.Helper()
	path := filepath.Join(scratch, name)
	compileIn(t, root, name, compiler, append([]string{"-o", path}, arguments...)...)
	return path
}

// compileIn runs a compiler in a directory, once for each name.
func compileIn(t *testing.T, dir, name, compiler string, arguments ...string) {
	t.Helper()
	built.Lock()
	made := built.done[name]
	if made == nil {
		made = sync.OnceValue(func() error {
			command := exec.Command(compiler, append([]string{"-std=gnu11", "-g", "-O1"}, arguments...)...)
			command.Dir = dir
			if output, err := command.CombinedOutput(); err != nil {
				return fmt.Errorf("%w\n%s", err, output)
			}
			return nil
		})
		built.done[name] = made
	}
	built.Unlock()
	if err := made(); err != nil {
		t.Fatalf("compile %s: %v", name, err)
	}
}

var libraries = []string{"-lssl", "-lcrypto", "-ldl", "-lpthread"}

// sources are the program's and the test library's files.
func sources(t *testing.T, program string) []string {
	t.Helper()
	library, err := filepath.Glob(filepath.Join(root, "tests/c/lib/*.c"))
	if err != nil || len(library) == 0 {
		t.Fatal("no test library", err)
	}
	return append(library, "tests/c/programs/"+program+".c")
}

// program compiles a program of tests/c/programs.
func program(t *testing.T, name string) string {
	t.Helper()
	return compile(t, name, "cc", append(sources(t, name), libraries...)...)
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

var gosessLine = regexp.MustCompile(`(?m)^gosess: \[[0-9]+\] (.*)$`)

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
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, h.path, h.arguments...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "LD_PRELOAD=") && !strings.HasPrefix(entry, "GOSESS_") {
			command.Env = append(command.Env, entry)
		}
	}
	if h.library != "" {
		command.Env = append(command.Env, "LD_PRELOAD="+h.library)
	}
	if h.cache != "" {
		tier := ""
		if h.second {
			tier = "&tier=second"
		}
		command.Env = append(command.Env, "GOSESS_CACHE="+h.cache+tier)
	}
	command.Env = append(command.Env, h.env...)
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	// Its children too, where it hangs.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err := command.Run()
	s := said{out: out.String(), stderr: errors.String()}
	for _, match := range gosessLine.FindAllStringSubmatch(s.stderr, -1) {
		s.lines = append(s.lines, match[1])
	}
	return s, err
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
	store, err := inspect.ByURL("shm:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	stats, err := store.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return stats.Total
}

var versions = []string{"--tls1.2", "--tls1.3"}
