package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// watched is a C half that the address and undefined-behaviour sanitizers watch.
type watched struct {
	runtime, library string
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{library: filepath.Join(TempDir(t), "libgosess.so")}
	runtime, err := exec.Command("clang", "-print-file-name=libclang_rt.asan-x86_64.so").Output()
	if err == nil {
		w.runtime = strings.TrimSpace(string(runtime))
		err = w.compile()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) compile() error {
	// By clang, whose one runtime writes what both find to a file. gcc's second one reads its options too late for it: in
	// a chroot, or when nginx has written over its environment.
	half, err := Sanitized("clang", "address")
	if err != nil {
		return err
	}
	return Compile(w.library, "clang", append([]string{"-fsanitize=address,undefined", "-shared-libasan", "-shared", "-Wl,-z,nodelete",
		"-Wl,--version-script=build/gosess.map"}, half...)...)
}

// reports is where the processes of a server write what is found: in its directory, and in the same one below
// what its workers take for the root of all files.
func reports(dir string, s *Subject) []string {
	below := filepath.Join(dir, "reports")
	if s.Root == "" {
		return []string{below}
	}
	return []string{below, filepath.Join(s.Root, below)}
}

// environment is env with the watched library in the place of the one that make build has made.
func (w *watched) environment(env []string, dir string) ([]string, error) {
	core, err := Built("libgosess-core.so")
	if err != nil {
		return nil, err
	}
	built, err := Built("libgosess.so")
	if err != nil {
		return nil, err
	}
	var changed []string
	for _, entry := range env {
		changed = append(changed, strings.Replace(entry, "LD_PRELOAD="+built, "LD_PRELOAD="+w.runtime+":"+w.library, 1))
	}
	path := ":log_path=" + filepath.Join(dir, "reports", "report")
	return append(changed, "GOSESS_CORE="+core,
		// Leaks are looked for by stopping all threads, which Go's heap does not survive. The servers are
		// not watched, nor is what Go has for a stack.
		"ASAN_OPTIONS=detect_leaks=0:disable_coredump=0"+path,
		"UBSAN_OPTIONS=print_stacktrace=1"+path), nil
}

// prepare makes the folders of reports.
func (w *watched) prepare(t *testing.T, dir string, s *Subject) {
	t.Helper()
	for _, folder := range reports(dir, s) {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(folder, 0o777); err != nil { // workers are another user
			t.Fatal(err)
		}
	}
}

// check wants every worker to be watched.
func (w *watched) check(t *testing.T, s *Subject) {
	t.Helper()
	workers := s.Workers()
	if len(workers) == 0 {
		t.Error("there are no workers")
	}
	for _, worker := range workers {
		if !worker.Maps("libclang_rt.asan") || !worker.Maps(w.library) {
			t.Errorf("worker %d is not watched", worker.PID)
		}
	}
}

// judge wants that nothing was found in any process.
func (w *watched) judge(t *testing.T, dir string, s *Subject) {
	t.Helper()
	for _, folder := range reports(dir, s) {
		found, err := os.ReadDir(folder)
		if err != nil {
			t.Error(err)
		}
		for _, report := range found {
			text, _ := os.ReadFile(filepath.Join(folder, report.Name()))
			t.Errorf("%s:\n%s", report.Name(), text)
		}
	}
}
