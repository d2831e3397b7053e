// Package packages_test builds the Debian packages, and installs, uses and purges them in fresh systems of two releases.
package packages_test

import (
	"bytes"
	"encoding/json"
	"maps"
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

func run(t *testing.T, dir, name string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command(name, arguments...)
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, output)
	}
	return string(output)
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// copied is the source as a release has it.
func copied(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, root(t), "sh", "-c", `tar -c --exclude=./build --exclude=./.git . | tar -x -C "$1"`, "sh", dir)
	return dir
}

// built is the folder with the packages of a copy of the source. All tests share it.
var built = sync.OnceValues(func() (string, error) {
	top, err := harness.Root()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("make", "deb")
	cmd.Dir = top
	output, err := cmd.CombinedOutput()
	if err != nil {
		os.Stderr.Write(output)
	}
	return filepath.Join(top, "build/deb"), err
})

func packages(t *testing.T) string {
	t.Helper()
	harness.OnlyWhereAll(t)
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// contents are the files of packages, by name.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for _, pattern := range []string{"*.deb", "*.json"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.Base(path)] = content
		}
	}
	return found
}

// Has lintian nothing to tell of, errors or warnings?
func TestLintian(t *testing.T) {
	changes, err := filepath.Glob(filepath.Join(packages(t), "*.changes"))
	if err != nil || len(changes) != 1 {
		t.Fatalf("%v %v", changes, err)
	}
	output, err := exec.Command("lintian", "--allow-root", "--fail-on", "error,warning", changes[0]).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// Are two builds of one source, in two folders, the same to the byte?
func TestReproducible(t *testing.T) {
	one := contents(t, packages(t))
	dir := copied(t)
	run(t, dir, "make", "deb")
	other := contents(t, filepath.Join(dir, "build/deb"))
	if len(one) < 5 || len(one) != len(other) {
		t.Fatalf("%v and %v", slices.Collect(maps.Keys(one)), slices.Collect(maps.Keys(other)))
	}
	for name, content := range one {
		if !bytes.Equal(content, other[name]) {
			t.Errorf("%s is another one", name)
		}
	}
}

// Do the packages leave AppArmor alone: no profile of theirs, and no script that speaks of one?
func TestAppArmor(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(packages(t), "*.deb"))
	if err != nil || len(paths) < 4 {
		t.Fatalf("%v %v", paths, err)
	}
	for _, path := range paths {
		unpacked := t.TempDir()
		run(t, "/", "dpkg-deb", "--raw-extract", path, unpacked)
		for _, name := range files(t, unpacked) {
			content, err := os.ReadFile(unpacked + name)
			script := err == nil && strings.HasPrefix(name, "/DEBIAN/")
			if strings.Contains(name, "apparmor") || script && bytes.Contains(content, []byte("apparmor")) {
				t.Errorf("%s: %s", filepath.Base(path), name)
			}
		}
	}
}

// Is the operator's manual in the package of the command, with the pages that it leads to?
func TestManualIsPackaged(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(packages(t), "gosess_*.deb"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%v %v", paths, err)
	}
	unpacked := t.TempDir()
	run(t, "/", "dpkg-deb", "--extract", paths[0], unpacked)
	for _, page := range []string{"docs/operating.md", "docs/monitoring/README.md", "README.md"} {
		path := filepath.Join(unpacked, "usr/share/doc/gosess", page)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), link[1])); err != nil && link[1] != "CONTRIBUTING.md" && filepath.Ext(link[1]) != ".png" {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// Does the list of components name what is in the packages?
func TestComponents(t *testing.T) {
	dir := packages(t)
	lists, err := filepath.Glob(filepath.Join(dir, "*.spdx.json"))
	if err != nil || len(lists) != 1 {
		t.Fatalf("%v %v", lists, err)
	}
	content, err := os.ReadFile(lists[0])
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Packages []struct{ Name, VersionInfo string }
	}
	if err := json.Unmarshal(content, &list); err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, p := range list.Packages {
		versions[p.Name] = p.VersionInfo
	}
	for _, name := range []string{"libgosess.so.0", "libgosess-core.so", "gosess", "gosess-agent", "go", "github.com/valkey-io/valkey-go"} {
		if versions[name] == "" {
			t.Errorf("no version of %s in %v", name, versions)
		}
	}
}
