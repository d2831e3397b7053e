package shim_test

import (
	"debug/elf"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// sanitizer is a way of compiling the C half into a program, with everything watched.
type sanitizer struct {
	compiler string
	flags    string
	symbols  []string // that a program has which is compiled so
	canary   string   // what makes the stand-in core do what is forbidden
	says     string   // what is said then
}

var sanitizers = map[string]sanitizer{
	"gcc address":     {"gcc", "-fsanitize=address,undefined", []string{"__asan_init", "__ubsan_handle_add_overflow_abort"}, "-DFAULT", "AddressSanitizer: heap-buffer-overflow"},
	"clang address":   {"clang", "-fsanitize=address,undefined", []string{"__asan_init", "__ubsan_handle_add_overflow_abort"}, "-DFAULT", "AddressSanitizer: heap-buffer-overflow"},
	"gcc undefined":   {"gcc", "-fsanitize=address,undefined", []string{"__ubsan_handle_add_overflow_abort"}, "-DOVERFLOW", "signed integer overflow"},
	"clang undefined": {"clang", "-fsanitize=address,undefined", []string{"__ubsan_handle_add_overflow_abort"}, "-DOVERFLOW", "signed integer overflow"},
	"gcc thread":      {"gcc", "-fsanitize=thread", []string{"__tsan_init"}, "-DRACE", "data race"},
	"clang thread":    {"clang", "-fsanitize=thread", []string{"__tsan_init"}, "-DRACE", "data race"},
}

func (s sanitizer) arguments() []string {
	return []string{s.flags, "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-w", "-DGOSESS_DEBUG"}
}

func (s sanitizer) file(parts ...string) string {
	return strings.Join(append(parts, s.compiler, strings.TrimPrefix(s.flags, "-fsanitize=")), "-")
}

// objects compiles the C half and the test library.
func (s sanitizer) objects(t *testing.T) (objects []string) {
	t.Helper()
	files, err := harness.Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := s.file("library", strings.TrimSuffix(filepath.Base(file), ".c")) + ".o"
		objects = append(objects, workshop.Compile(t, name, s.compiler, append(s.arguments(), "-c", file)...))
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(s.flags, "-fsanitize="), ",")
	half, err := harness.Sanitized(s.compiler, kind)
	if err != nil {
		t.Fatal(err)
	}
	return append(objects, half...)
}

// watched compiles a program with the C half and the test library in it: its definitions come
// before libssl's, as they do where it is preloaded.
func (s sanitizer) watched(t *testing.T, program string) string {
	t.Helper()
	arguments := append(s.arguments(), harness.ProgramFile("shim", program))
	arguments = append(append(arguments, s.objects(t)...), libraries...)
	path := workshop.Compile(t, s.file(program), s.compiler, arguments...)
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	static, _ := file.Symbols()
	dynamic, _ := file.DynamicSymbols()
	for _, name := range s.symbols {
		if !slices.ContainsFunc(append(static, dynamic...), func(symbol elf.Symbol) bool { return symbol.Name == name }) {
			t.Fatalf("%s is not watched: no %s in it", path, name)
		}
	}
	return path
}

func (s sanitizer) core(t *testing.T, flag string) string {
	t.Helper()
	arguments := append(s.arguments(), "-shared", "-fPIC", "tests/c/cores/memory.c")
	if flag != "" {
		arguments = append(arguments, flag)
	}
	// The name by which programs see that the Go half is loaded.
	return workshop.Compile(t, s.file("libgosess-core", flag)+".so", s.compiler, arguments...)
}

func (s sanitizer) host(t *testing.T, core, program string, arguments ...string) host {
	t.Helper()
	return host{
		path: s.watched(t, program), arguments: arguments,
		cache: "shm:?size=1m", second: true,
		env: []string{
			"GOSESS_CORE=" + core, "TIMES=100",
			// Not disable_coredump: the runtime would call our setrlimit before it is ready itself.
			"ASAN_OPTIONS=detect_leaks=1:disable_coredump=0", "UBSAN_OPTIONS=print_stacktrace=1",
			"TSAN_OPTIONS=halt_on_error=1:disable_coredump=0",
		},
	}
}

// runs are programs with what is to be seen of them: that they end well.
var runs = []struct {
	program   string
	scenarios []string
}{
	{"chained", nil},
	{"isolation", nil},
	{"verification", nil},
	{"untold", nil},
	{"names", []string{"servername-callback", "client-hello-callback", "first-is-freed"}},
	{"added", nil},
	{"lives", []string{"clean", "unclean", "alert", "freed-context", "freed-with-sessions"}},
	{"protocol", []string{"tickets", "several-tickets", "client-certificate"}},
	{"references", []string{"counts", "errors", "want-read", "keeps-data", "counts"}},
	{"threads", nil},
	{"processes", []string{"master", "loaded-parent", "starts-programs"}},
}

// Is the C half clean under the address and undefined-behaviour sanitizers, with a core in C?
func TestAddressSanitizer(t *testing.T) {
	for _, name := range harness.Few(1, []string{"gcc address", "clang address"}) {
		s := sanitizers[name]
		for i, run := range runs {
			if name == "clang address" && i%2 == 1 {
				continue // the other compiler has seen them
			}
			for _, version := range versions {
				t.Run(name+" "+run.program+strings.TrimPrefix(version, "--tls"), func(t *testing.T) {
					t.Parallel()
					h := s.host(t, s.core(t, ""), run.program, append([]string{version}, run.scenarios...)...)
					if said := h.run(t); strings.Contains(said.stderr, "Sanitizer") {
						t.Error(said.stderr)
					}
				})
			}
		}
	}
}

// The same with the real core, which allocates what no sanitizer sees.
func TestAddressSanitizerWithGo(t *testing.T) {
	core, err := harness.Built("libgosess-core.so")
	if err != nil {
		t.Fatal(err)
	}
	s := sanitizers["gcc address"]
	for _, program := range []string{"chained", "references"} {
		h := s.host(t, core, program)
		h.arguments = []string{"--tls1.3"}
		// Its leak checker stops all threads to look at them, which Go's signals survive but not its heap.
		h.env = append(h.env, "ASAN_OPTIONS=detect_leaks=0:disable_coredump=0")
		if said := h.run(t); strings.Contains(said.stderr, "Sanitizer") {
			t.Error(said.stderr)
		}
	}
}

// Is what seals and opens tickets clean, with secrets that a core in C makes up?
func TestTicketsUnderSanitizer(t *testing.T) {
	s := sanitizers["gcc address"]
	for _, version := range versions {
		for program, scenarios := range map[string][]string{"tickets": {"bound", "left-alone", "renewed"}, "lasting": {"chain"}} {
			h := s.host(t, s.core(t, ""), program, append([]string{version}, scenarios...)...)
			h.second, h.env = false, append(h.env, "GOSESS_TICKETS=shared")
			said := h.run(t)
			if strings.Contains(said.stderr, "Sanitizer") || strings.Count(said.out, "resumed") == 0 {
				t.Errorf("%s\n%s", said.out, said.stderr)
			}
		}
	}
}

// Is it free of data races, with threads that are in Go at once, and with more than may be?
func TestThreadSanitizer(t *testing.T) {
	for _, name := range harness.Few(1, []string{"gcc thread", "clang thread"}) {
		s := sanitizers[name]
		for _, version := range versions {
			t.Run(name+version, func(t *testing.T) {
				h := s.host(t, s.core(t, ""), "threads", version, "threads")
				h.run(t).wants(t, "400 resumed, 0 full, 0 others")
				h.env = append(h.env, "THREADS=2")
				h.run(t).wants(t, "200 resumed, 0 full, 0 others")
				h = s.host(t, s.core(t, ""), "threads", version, "threads-load")
				h.run(t).wants(t, "0 resumed, 80 full, 0 others")
				h = s.host(t, s.core(t, ""), "threads", version, "ticket-threads")
				h.second, h.env = false, append(h.env, "GOSESS_TICKETS=shared")
				h.run(t).wants(t, "400 resumed, 0 full, 0 others")
			})
		}
	}
}

// The same of contexts that one thread attaches and configures while another uses its own, also
// where the Go half turns out to be missing meanwhile.
func TestAttachingUnderSanitizers(t *testing.T) {
	for _, name := range []string{"gcc thread", "gcc address"} {
		s := sanitizers[name]
		for scenario, prints := range map[string]string{"first-used": "looked up", "attaches": "attached"} {
			for _, flag := range []string{"", "-DSTART=-1"} {
				t.Run(name+" "+scenario+flag, func(t *testing.T) {
					t.Parallel()
					h := s.host(t, s.core(t, flag), "attaching", scenario)
					h.cache, h.second, h.env = "", false, append(h.env, "GOSESS_TICKETS=stateful")
					h.run(t).wants(t, prints)
				})
			}
		}
	}
}

// Would a sanitizer have said something?
func TestSanitizersSeeTheirCanaries(t *testing.T) {
	for name, s := range sanitizers {
		t.Run(name, func(t *testing.T) {
			if s.compiler != "gcc" {
				harness.OnlyWhereAll(t)
			}
			t.Parallel()
			h := s.host(t, s.core(t, s.canary), "threads", "threads")
			h.env = append(h.env, "THREADS=2", "TIMES=2000") // more than two let in meet nobody
			h.fails = true
			if said := h.run(t); !strings.Contains(said.stderr, s.says) {
				t.Errorf("no %q in:\n%s", s.says, said.stderr)
			}
		})
	}
}

// A connection may have the last reference to a context, and one may end while another thread goes
// through all of them.
func TestEndsUnderSanitizer(t *testing.T) {
	s := sanitizers["gcc address"]
	for _, version := range versions {
		t.Run(strings.TrimPrefix(version, "--"), func(t *testing.T) {
			s.host(t, s.core(t, ""), "ends", version, "last-is-connection").run(t).wants(t, "resumed", "alive")
			s.host(t, s.core(t, ""), "ends", version, "data-meanwhile").run(t).wants(t, "alive")
			if version == "--tls1.3" {
				s.host(t, s.core(t, ""), "ends", version, "freed-by-two").run(t).wants(t, "put back")
			}
		})
	}
}

// A copy of a connection may outlive the context that its original was made from.
func TestCopiedConnectionUnderSanitizer(t *testing.T) {
	s := sanitizers["gcc address"]
	s.host(t, s.core(t, ""), "names", "copied-connection").run(t)
}
