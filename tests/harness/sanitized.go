package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// Sanitized makes the C half for programs that a sanitizer watches, "address" or "thread", with that compiler, and is how it is
// linked into one. make keeps the objects below build/: the packages of a test run compile them once.
func Sanitized(compiler, kind string) (link []string, err error) {
	top, err := Root()
	if err != nil {
		return nil, err
	}
	archive := filepath.Join(top, "build", compiler+"-"+kind, "shim.a")
	if err := os.MkdirAll(filepath.Dir(archive), 0o755); err != nil {
		return nil, err
	}
	lock, err := os.Create(filepath.Join(filepath.Dir(archive), "lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	// Another package's tests may be at it.
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	target, err := filepath.Rel(top, archive)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("make", "--no-print-directory", fmt.Sprint("-j", runtime.NumCPU()), target)
	cmd.Dir = top
	// The tests may be what a make runs, whose options are not for this one.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "MAKE") || strings.HasPrefix(entry, "MFLAGS=")
	})
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make %s: %w\n%s", target, err, output)
	}
	return []string{"-Wl,--whole-archive", archive, "-Wl,--no-whole-archive"}, nil
}
