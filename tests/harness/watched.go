package harness

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// PreloadWatched is Preload with a C half that the address and undefined-behaviour sanitizers watch,
// compiled into dir. What they find they write to files whose names begin with report.
func PreloadWatched(dir, cache, report string) ([]string, error) {
	top, err := Root()
	if err != nil {
		return nil, err
	}
	var sources []string
	for _, pattern := range []string{"shim.c", "shim/*.c"} {
		found, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("%s: %v %w", pattern, found, err)
		}
		sources = append(sources, found...)
	}
	library := filepath.Join(dir, "libgosess.so")
	arguments := append([]string{"-std=gnu11", "-O1", "-g", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined",
		"-fno-omit-frame-pointer", "-fPIC", "-fvisibility=hidden", "-shared", "-Wl,-z,nodelete",
		"-Wl,--version-script=" + filepath.Join(top, "build", "gosess.map"), "-o", library}, sources...)
	if output, err := exec.Command("gcc", arguments...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gcc: %w: %s", err, output)
	}
	runtime, err := exec.Command("gcc", "-print-file-name=libasan.so").Output()
	if err != nil {
		return nil, err
	}
	core, err := Built("libgosess-core.so")
	if err != nil {
		return nil, err
	}
	return []string{
		"LD_PRELOAD=" + strings.TrimSpace(string(runtime)) + ":" + library,
		"GOSESS_CACHE=" + cache, "GOSESS_CORE=" + core,
		// Leaks are looked for by stopping all threads, which Go's heap does not survive. The servers are
		// not watched, nor is what Go has for a stack.
		"ASAN_OPTIONS=detect_leaks=0:disable_coredump=0:log_path=" + report,
		"UBSAN_OPTIONS=print_stacktrace=1:log_path=" + report,
	}, nil
}
