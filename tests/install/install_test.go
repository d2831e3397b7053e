// Package install_test installs gosess into a directory of its own and uses what lies there:
// the files, the examples, and a program in Go.
package install_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"gosess/tests/harness"
)

// files is everything that is installed, below the prefix.
var files = []string{
	"bin/gosess",
	"bin/gosess-agent",
	"include/gosess.h",
	"lib/libgosess-core.so",
	"lib/libgosess.so",
	"lib/libgosess.so.0",
	"lib/pkgconfig/gosess.pc",
	"share/man/man1/gosess.1",
	"share/man/man3/gosess.3",
	"share/man/man7/gosess.7",
	"share/man/man8/gosess-agent.8",
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a command with an environment without anything of gosess, and returns its output.
func run(t *testing.T, dir string, added []string, name string, arguments ...string) string {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Dir, command.Env = dir, environment(added)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, output)
	}
	return string(output)
}

func environment(added []string) []string {
	kept := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.HasPrefix(name, "GOSESS_") || strings.HasPrefix(name, "PKG_CONFIG_") ||
			strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "MAKE") || name == "MFLAGS"
	})
	return append(kept, added...)
}

// install calls make install, or uninstall. What is built is taken as it is: a test that built
// it anew would change it under the other tests.
func install(t *testing.T, target string, variables ...string) {
	t.Helper()
	harness.NeedBuild(t)
	run(t, root(t), nil, "make", append([]string{"-o", "build", target}, variables...)...)
}

// list is every file below a directory that is no directory.
func list(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			path, err = filepath.Rel(dir, path)
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// installed is where gosess is installed for the tests that use it, below DESTDIR.
var installed = struct {
	sync.Once
	dir string
}{}

const prefix = "/opt/gosess"

func TestMain(m *testing.M) {
	status := m.Run()
	if installed.dir != "" {
		os.RemoveAll(installed.dir)
	}
	os.Exit(status)
}

// use is the environment of a compiler and a program that use the installed copy.
func use(t *testing.T) []string {
	t.Helper()
	installed.Do(func() {
		dir, err := os.MkdirTemp("", "gosess-install-")
		if err == nil {
			installed.dir = dir
			err = os.Chmod(dir, 0o755) // for workers that become nobody
		}
		if err != nil {
			t.Fatal(err)
		}
		install(t, "install", "DESTDIR="+dir, "PREFIX="+prefix)
	})
	lib := filepath.Join(installed.dir, prefix, "lib")
	return []string{
		"PKG_CONFIG_PATH=" + filepath.Join(lib, "pkgconfig"),
		"PKG_CONFIG_SYSROOT_DIR=" + installed.dir,
		"LD_LIBRARY_PATH=" + lib,
	}
}

func TestInstallUninstall(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, prefix, "lib", "libother.so")
	if err := os.MkdirAll(filepath.Dir(other), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	variables := []string{"DESTDIR=" + dir, "PREFIX=" + prefix}
	for range 2 { // also over an older one
		install(t, "install", variables...)
	}
	want := slices.Sorted(slices.Values(append([]string{"lib/libother.so"}, files...)))
	if got := list(t, filepath.Join(dir, prefix)); !slices.Equal(got, want) {
		t.Errorf("it installs %v, not %v", got, want)
	}
	if got := list(t, dir); len(got) != len(want) {
		t.Errorf("it writes elsewhere: %v", got)
	}
	link, err := os.Readlink(filepath.Join(dir, prefix, "lib/libgosess.so"))
	if err != nil || link != "libgosess.so.0" {
		t.Errorf("libgosess.so is a link to %q (%v)", link, err)
	}
	install(t, "uninstall", variables...)
	if got := list(t, dir); !slices.Equal(got, []string{filepath.Join(prefix[1:], "lib/libother.so")}) {
		t.Errorf("it leaves %v", got)
	}
}

func TestElsewhere(t *testing.T) {
	dir := t.TempDir()
	install(t, "install", "DESTDIR="+dir, "PREFIX=/usr", "LIBDIR=/usr/lib/some-triplet", "INCLUDEDIR=/include",
		"MANDIR=/man")
	pc := read(t, filepath.Join(dir, "usr/lib/some-triplet/pkgconfig/gosess.pc"))
	for _, line := range []string{"prefix=/usr", "libdir=${prefix}/lib/some-triplet", "includedir=/include"} {
		if !slices.Contains(strings.Split(pc, "\n"), line) {
			t.Errorf("gosess.pc has no line %s:\n%s", line, pc)
		}
	}
	if strings.Contains(pc, "@") {
		t.Errorf("gosess.pc has something left to fill in:\n%s", pc)
	}
	list(t, filepath.Join(dir, "man/man7"))
}

func TestVersions(t *testing.T) {
	env := use(t)
	header := read(t, filepath.Join(installed.dir, prefix, "include/gosess.h"))
	match := regexp.MustCompile(`(?m)^#define GOSESS_VERSION "(.*)"$`).FindStringSubmatch(header)
	if match == nil {
		t.Fatal("the header has no version")
	}
	if got := strings.TrimSpace(run(t, "", env, "pkg-config", "--modversion", "gosess")); got != match[1] {
		t.Errorf("gosess.pc is of version %s, the header of %s", got, match[1])
	}
	command := filepath.Join(installed.dir, prefix, "bin/gosess")
	if got := run(t, "", nil, command, "version"); !strings.Contains(got, match[1]) {
		t.Errorf("the command is of version %s, the header of %s", got, match[1])
	}
}

// Behind libssl, what a program registers after attaching would take the place of gosess.
func TestLinkOrder(t *testing.T) {
	env := use(t)
	for _, packages := range [][]string{{"gosess"}, {"gosess", "openssl"}, {"openssl", "gosess"}, {"libssl", "gosess"}} {
		flags := strings.Fields(run(t, "", env, "pkg-config", append([]string{"--libs"}, packages...)...))
		gosess, libssl := slices.Index(flags, "-lgosess"), slices.Index(flags, "-lssl")
		if gosess < 0 || libssl < gosess || !slices.Contains(flags, "-lcrypto") {
			t.Errorf("%v: %v", packages, flags)
		}
	}
}

// The command finds the library that was installed with it.
func TestCommandRuns(t *testing.T) {
	use(t)
	command := filepath.Join(installed.dir, prefix, "bin/gosess")
	output := run(t, "", nil, command, "run", "--", "/bin/sh", "-c", "echo $LD_PRELOAD")
	library := filepath.Join(installed.dir, prefix, "lib")
	if !strings.HasPrefix(output, library+"/libgosess.so") {
		t.Errorf("it preloads %s, not what is in %s", output, library)
	}
}

func TestManualPages(t *testing.T) {
	use(t)
	for _, file := range files {
		if !strings.HasPrefix(file, "share/man/") {
			continue
		}
		page := filepath.Join(installed.dir, prefix, file)
		t.Run(filepath.Base(page), func(t *testing.T) {
			// Style is a matter of taste; a warning is not, nor that of a name which is not there.
			if said := run(t, "", nil, "mandoc", "-Tlint", "-Wwarning", page); said != "" {
				t.Error(said)
			}
			if said := run(t, "", nil, "groff", "-mandoc", "-ww", "-z", "-Tutf8", page); said != "" {
				t.Error(said)
			}
		})
	}
}
