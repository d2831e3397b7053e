// Package versions runs programs with the versions of libssl that gosess supports, all with
// one and the same build of gosess: the system's, and those of other Debian releases, which
// are unpacked below build/ and never installed.
package versions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gosess/tests/fleet/network"
	"gosess/tests/harness"
)

// Version is a libssl, with its headers and its openssl program.
type Version struct {
	Name     string // as OpenSSL_version begins, or "system"
	suite    string // the Debian release; "" is the system's own
	packages []string
}

// All is every version, the system's first. libssl 1.1.1 runs with the system's C library, because its own
// release has glibc 2.31 and a gosess that was built on bookworm needs 2.34: dlopen and
// pthread_create got new versions when libdl and libpthread became part of libc. libssl 3.5
// needs a newer C library than bookworm's, and brings it.
func All() []Version {
	return []Version{
		{Name: "system"},
		{"1.1.1", "bullseye", []string{"libssl1.1", "libssl-dev", "openssl"}},
		{"3.5", "trixie", []string{"libssl3t64", "libssl-dev", "openssl", "openssl-provider-fips", "libc6"}},
	}
}

// Each runs a test for every version, where its packages can be had.
func Each(t *testing.T, test func(t *testing.T, v Installed)) { each(t, All(), test) }

// Few is the same, but with the system's version alone where not all are asked for.
func Few(t *testing.T, test func(t *testing.T, v Installed)) { each(t, harness.Few(1, All()), test) }

func each(t *testing.T, versions []Version, test func(t *testing.T, v Installed)) {
	harness.NeedBuild(t)
	for _, version := range versions {
		t.Run(version.Name, func(t *testing.T) { test(t, version.fetch(t)) })
	}
}

// Installed is a version whose files are there.
type Installed struct {
	Version
	root      string // of its files; "" is the system's own
	libraries string // the folder of its libssl
	loader    string // the dynamic loader of its own C library, where it has one
}

// fetch gets the packages; without a network, and none from an earlier run, it skips the test.
func (v Version) fetch(t *testing.T) Installed {
	t.Helper()
	if v.suite == "" {
		return Installed{Version: v}
	}
	i := Installed{Version: v, root: fetch(t, v.suite, v.suite, v.packages...)}
	i.libraries = filepath.Dir(i.File(t, "usr/lib/*/libcrypto.so.*"))
	if loaders, _ := filepath.Glob(filepath.Join(i.libraries, "ld-linux*.so.*")); len(loaders) == 1 {
		i.loader = loaders[0]
	}
	return i
}

// fetch runs fetch.sh for a directory below build/versions, and returns the directory.
func fetch(t testing.TB, name, suite string, packages ...string) string {
	t.Helper()
	top, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	directory := filepath.Join(top, "build", "versions", name)
	line := append(network.Outside(), "sh", filepath.Join(top, "tests", "versions", "fetch.sh"), directory, suite)
	line = append(line, packages...)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 75 {
		t.Skipf("%s", output)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return directory
}

// File is the one file of that pattern.
func (i Installed) File(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(i.root, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s of %s: %v %v", pattern, i.suite, found, err)
	}
	return found[0]
}

// OpenSSL is the path of this version's openssl program.
func (i Installed) OpenSSL(t *testing.T) string {
	t.Helper()
	if i.root != "" {
		return i.File(t, "usr/bin/openssl")
	}
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// Compile compiles a C program with this version's headers and library; the path of it. It has
// the name of the first source.
func (i Installed) Compile(t *testing.T, sources ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(sources[0]), ".c"))
	i.cc(t, program, append(slices.Clone(sources), "-lssl", "-lcrypto", "-lpthread")...)
	return program
}

// Library compiles what the programs of tests/c share into one object file, for Compile.
func (i Installed) Library(t *testing.T) string {
	t.Helper()
	sources, err := harness.Library()
	if err != nil {
		t.Fatal(err)
	}
	object := filepath.Join(t.TempDir(), "library.o")
	i.cc(t, object, append([]string{"-r"}, sources...)...)
	return object
}

// cc makes a file with this version's headers and library.
func (i Installed) cc(t *testing.T, file string, inputs ...string) {
	t.Helper()
	arguments := []string{"-O2", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations"}
	if i.root != "" {
		headers := filepath.Join(i.root, "usr", "include")
		// What its libssl needs of a newer C library is there when it runs.
		arguments = append(arguments, "-I"+headers, "-I"+filepath.Join(headers, filepath.Base(i.libraries)),
			"-L"+i.libraries, "-Wl,--allow-shlib-undefined")
	}
	if err := harness.Compile(file, "cc", append(arguments, inputs...)...); err != nil {
		t.Fatal(err)
	}
}

// Command is a program that runs with this version, in an environment of nothing but what is
// given: see harness.Preload. It is killed where it outlives the test.
func (i Installed) Command(t *testing.T, environment []string, program string, arguments ...string) *exec.Cmd {
	t.Helper()
	// No configuration of the system's: it is another version's.
	environment = append([]string{"PATH=" + os.Getenv("PATH"), "OPENSSL_CONF=/dev/null"}, environment...)
	command := append([]string{program}, arguments...)
	switch {
	case i.loader != "":
		command = append([]string{i.loader, "--library-path", i.libraries}, command...)
	case i.root != "":
		environment = append(environment, "LD_LIBRARY_PATH="+i.libraries)
	}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = environment
	return cmd
}

// Run runs a program to its end, within harness.Patience; what it wrote to stdout and stderr.
func (i Installed) Run(t *testing.T, environment []string, program string, arguments ...string) (stdout, stderr string) {
	t.Helper()
	cmd := i.Command(t, environment, program, arguments...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if failed := runWithin(cmd, harness.Patience); failed != nil {
		t.Fatalf("%s: %v\n%s%s", program, failed, out.String(), err.String())
	}
	return out.String(), err.String()
}

func runWithin(cmd *exec.Cmd, limit time.Duration) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	late := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	if !late.Stop() {
		return fmt.Errorf("killed after %v", limit)
	}
	return err
}
