package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gosess/capi/settings"
	"gosess/internal/regular"
)

const (
	library = "libgosess.so.0" // there without the files for development, too
	core    = "libgosess-core.so"
)

// prepareRun has gosess become the program, with the library preloaded. It refuses what the library would
// only be able to complain of: a server that starts serves without a cache then.
func prepareRun(flags *flag.FlagSet) action {
	cache := flags.String("cache", setOr("GOSESS_CACHE", "shm:"), "`URL` of the store (else GOSESS_CACHE, else shm:)")
	tickets := flags.String("tickets", setOr("GOSESS_TICKETS", "keep"),
		"`"+strings.Join(ticketKinds, "|")+"`: what becomes of session tickets (else GOSESS_TICKETS, else keep)")
	keys := keysOption(flags)
	log := flags.String("log", os.Getenv("GOSESS_LOG"), "`SPEC` of the log: off, error, info or debug, and :FILE (else GOSESS_LOG)")
	return func(_ *output, operands []string) error {
		if len(operands) == 0 {
			return usageError{"run: a program is missing, as in gosess run -- nginx -g 'daemon off;'"}
		}
		set := map[string]string{"GOSESS_CACHE": *cache, "GOSESS_TICKETS": *tickets, "GOSESS_KEYS": *keys, "GOSESS_LOG": *log}
		return become(operands, set)
	}
}

var ticketKinds = []string{"keep", "stateful", "shared", "shared,override"}

// become is the end of this program, unless it returns.
func become(words []string, set map[string]string) error {
	if !slices.Contains(ticketKinds, set["GOSESS_TICKETS"]) {
		return usageError{fmt.Sprintf("run: tickets %q is unknown; allowed: %s", set["GOSESS_TICKETS"], strings.Join(ticketKinds, ", "))}
	}
	if keys := set["GOSESS_KEYS"]; keys != "" {
		// A server may have another working directory by the time that it reads them.
		absolute, err := filepath.Abs(keys)
		if err != nil {
			return err
		}
		set["GOSESS_KEYS"] = absolute
	}
	if _, err := settings.Check(set["GOSESS_CACHE"], set["GOSESS_KEYS"]); err != nil {
		return usageError{err.Error()}
	}
	if err := settings.CheckLog(set["GOSESS_LOG"]); err != nil {
		return usageError{err.Error()}
	}
	path, err := findLibrary()
	if err != nil {
		return err
	}
	if err := checkCore(path); err != nil {
		return err
	}
	program, err := exec.LookPath(words[0])
	if err != nil {
		return exitError{127, err}
	}
	fmt.Fprint(os.Stderr, warning(program))
	err = syscall.Exec(program, words, environment(path, set))
	return exitError{126, fmt.Errorf("%s: %w", program, err)}
}

func setOr(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// findLibrary looks beside this command, where make build puts both, and in the lib folder
// next to its folder, where make install and distributions do.
func findLibrary() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return "", err
	}
	beside := filepath.Dir(self)
	for _, pattern := range []string{
		filepath.Join(beside, library),
		filepath.Join(beside, "..", "lib", library),
		filepath.Join(beside, "..", "lib", "*", library),
		filepath.Join(beside, "..", "lib64", library),
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			continue
		}
		if strings.ContainsAny(found[0], ": ") {
			return "", fmt.Errorf("%s cannot be preloaded: its path has a space or a colon", found[0])
		}
		return found[0], nil
	}
	return "", errors.New(library + " is neither beside " + self + " nor in ../lib")
}

// checkCore looks for the Go half where the library will look for it. A server that lacks it says so at its first
// handshake only.
func checkCore(library string) error {
	path, err := corePath(library)
	if err != nil {
		return err
	}
	file, err := regular.Open(path, os.O_RDONLY)
	if err != nil {
		return fmt.Errorf("the Go half of the library is missing: %w; it lies beside libgosess.so, or where GOSESS_CORE says", err)
	}
	return file.Close()
}

// corePath is where the library looks for its Go half.
func corePath(library string) (string, error) {
	if path := os.Getenv("GOSESS_CORE"); path != "" {
		if !filepath.IsAbs(path) {
			return "", usageError{fmt.Sprintf("GOSESS_CORE: %q is not allowed; allowed: an absolute path", path)}
		}
		return path, nil
	}
	resolved, err := filepath.EvalSymlinks(library)
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(resolved), core), nil
}

// environment is the present one with the library preloaded, before what already is.
func environment(path string, set map[string]string) []string {
	set["LD_PRELOAD"] = path
	if preloaded := os.Getenv("LD_PRELOAD"); preloaded != "" {
		set["LD_PRELOAD"] += ":" + preloaded
	}
	var result []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if _, ours := set[name]; !ours {
			result = append(result, variable)
		}
	}
	for name, value := range set {
		if value != "" {
			result = append(result, name+"="+value)
		}
	}
	return result
}
