package shim_test

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// parsed is one of the libraries.
func parsed(t *testing.T, library string) *elf.File {
	t.Helper()
	path, err := harness.Built(library)
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// functions writes the file of the C functions of gosess that exhaust.so reads: of libgosess.so
// those that do not stand for a function of libssl or libc, which may fail as that does; of the Go
// half those of capi, as the Go runtime ends a process that has no memory for it.
func functions(t *testing.T) string {
	t.Helper()
	var list strings.Builder
	for _, name := range []string{"libgosess.so", "libgosess-core.so"} {
		symbols, err := parsed(t, name).Symbols()
		if err != nil {
			t.Fatal(err)
		}
		keep := isShim
		if name == "libgosess-core.so" {
			keep = inCapi(t, symbols)
		}
		for _, s := range symbols {
			if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Size > 0 && keep(s) {
				fmt.Fprintf(&list, "%s %x %x\n", name, s.Value, s.Value+s.Size)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "functions")
	if err := os.WriteFile(path, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func isShim(s elf.Symbol) bool {
	return elf.ST_BIND(s.Info) == elf.STB_LOCAL || strings.HasPrefix(s.Name, "gosess_")
}

// inCapi tells the functions of capi by where the linker puts them: all of a package together,
// from what cgo makes of the exports to its last file, threads.c. What makes threads for the runtime works for
// the runtime, which ends the process where it has no memory.
func inCapi(t *testing.T, symbols []elf.Symbol) func(elf.Symbol) bool {
	t.Helper()
	at := map[string]elf.Symbol{}
	for _, s := range symbols {
		at[s.Name] = s
	}
	first, last := at["gosess_go_start"].Value, at["gosess_settle_thread"].Value
	in := func(s elf.Symbol) bool {
		return first > 0 && s.Value >= first && s.Value <= last && !strings.HasPrefix(s.Name, "__wrap_") &&
			s.Name != "make_thread" && s.Name != "begin"
	}
	for name, want := range map[string]bool{"gosess_core_serve": true, "gosess_gate_pass": true, "gosess_leave": true, "x_cgo_thread_start": false, "x_cgo_init": false} {
		if s, found := at[name]; !found || in(s) != want {
			t.Fatalf("%s: found %v, among the functions of capi %v", name, found, in(s))
		}
	}
	return in
}

// exhausted is the program, where memory runs out at a place, for so many allocations.
func exhausted(t *testing.T, functions, cache, version, scenario string, place, count int) said {
	t.Helper()
	depth := 1
	if os.Getenv("GOSESS_TESTS") == "all" { // four times as many, of which most fail in the same place
		depth = 100
	}
	h := served(t, "exhausted", version, scenario)
	h.library += ":" + object(t, "exhaust", "tests/shim/plain/exhaust.c")
	h.cache = cache
	h.env = []string{
		"EXHAUST_FUNCTIONS=" + functions, fmt.Sprint("EXHAUST_PLACE=", place), fmt.Sprint("EXHAUST_COUNT=", count),
		fmt.Sprint("EXHAUST_DEPTH=", depth),
		"GOSESS_TICKETS=" + map[string]string{"exhausted": "keep", "tickets": "shared"}[scenario], "GOSESS_LOG=error", // to be copied
		"MALLOC_PERTURB_=85", // what is used after it was freed is not as it was
	}
	return h.run(t)
}

// recovered fails the test where not all sessions are resumed once there is memory again, by gosess
// or else, where that has said why not, by libssl. It returns how many are left at the end.
func recovered(t *testing.T, s said) int {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(s.out, "\n"), "\n")
	last := len(lines) - 1
	if last < 2 {
		t.Fatalf("printed:\n%s%s", s.out, s.stderr)
	}
	for _, line := range lines[1:last] {
		if line != lines[1] || (line != "served: resumed" && (line != "not served: resumed" || len(s.lines) == 0)) {
			t.Fatalf("printed:\n%s%s", s.out, s.stderr)
		}
	}
	return leading(t, lines[last])
}

// leading is the number that a line begins with.
func leading(t *testing.T, line string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.Fields(line + " ")[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Does the host go on, and do its handshakes, where memory runs out in gosess, anywhere? Once, which
// costs no more than one session, and until the host has served for a while.
func TestOutOfMemory(t *testing.T) {
	const forGood = 1000000
	list := functions(t)
	for _, test := range []struct {
		cache, version string
		scenario       string
		least          int // places; a server whose sessions were not shared would have as many as with memory:
		count, step    int
	}{
		{"shm:?size=1m", "--tls1.3", "exhausted", 45, 1, 3},
		{"shm:?size=1m", "--tls1.2", "exhausted", 42, forGood, 5},
		{"memory:", "--tls1.2", "exhausted", 30, 1, 3},
		{"memory:", "--tls1.3", "exhausted", 30, forGood, 5},
		{"shm:?size=1m", "--tls1.3", "tickets", 20, 1, 3},
		{"shm:?size=1m", "--tls1.2", "tickets", 20, forGood, 3},
		{"shm:?size=1m", "--tls1.3", "tickets", 20, forGood, 5},
	} {
		healthy := exhausted(t, list, test.cache, test.version, test.scenario, 0, 0)
		left := recovered(t, healthy)
		places := -leading(t, healthy.out)
		if places < test.least {
			t.Fatalf("%s %s: memory is asked for at %d places only", test.scenario, test.cache, places)
		}
		if harness.All() {
			test.step = 1
		}
		for place := 1; place <= places; place += test.step {
			t.Run(fmt.Sprint(test.scenario, " ", test.cache, test.version, " ", test.count, " from ", place), func(t *testing.T) {
				t.Parallel()
				s := exhausted(t, list, test.cache, test.version, test.scenario, place, test.count)
				if n := recovered(t, s); test.count == 1 && n > left+1 {
					t.Errorf("%d sessions are left, not %d", n, left)
				}
			})
		}
	}
}
