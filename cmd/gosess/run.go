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
)

const (
	library = "libgosess.so"
	core    = "libgosess-core.so"
)

// run becomes the program, with the library preloaded. It refuses what the library would
// only be able to complain of: a server that starts serves without a cache then.
func run(args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	cache := flags.String("cache", setOr("GOSESS_CACHE", "shm:"), "")
	tickets := flags.String("tickets", setOr("GOSESS_TICKETS", "keep"), "")
	keys := flags.String("keys", os.Getenv("GOSESS_KEYS"), "")
	log := flags.String("log", os.Getenv("GOSESS_LOG"), "")
	rest, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return usageError{"run: a program is missing, as in gosess run -- nginx -g 'daemon off;'"}
	}
	if kinds := []string{"keep", "stateful", "shared", "shared,override"}; !slices.Contains(kinds, *tickets) {
		return usageError{fmt.Sprintf("run: tickets %q is unknown; allowed: %s", *tickets, strings.Join(kinds, ", "))}
	}
	if *keys != "" {
		// A server may have another working directory by the time that it reads them.
		if *keys, err = filepath.Abs(*keys); err != nil {
			return err
		}
	}
	if _, err := settings.Check(*cache, *keys); err != nil {
		return usageError{err.Error()}
	}
	if err := settings.CheckLog(*log); err != nil {
		return usageError{err.Error()}
	}
	path, err := findLibrary()
	if err != nil {
		return err
	}
	if err := checkCore(path); err != nil {
		return err
	}
	program, err := exec.LookPath(rest[0])
	if err != nil {
		return exitError{127, err}
	}
	fmt.Fprint(os.Stderr, warning(program))
	err = syscall.Exec(program, rest, environment(path, map[string]string{
		"GOSESS_CACHE": *cache, "GOSESS_TICKETS": *tickets, "GOSESS_KEYS": *keys, "GOSESS_LOG": *log,
	}))
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
	path := os.Getenv("GOSESS_CORE")
	if path == "" {
		resolved, err := filepath.EvalSymlinks(library)
		if err != nil {
			return err
		}
		path = filepath.Join(filepath.Dir(resolved), core)
	} else if !filepath.IsAbs(path) {
		return usageError{fmt.Sprintf("GOSESS_CORE: %q is not allowed; allowed: an absolute path", path)}
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("the Go half of the library is missing: %w", err)
	}
	return file.Close()
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
