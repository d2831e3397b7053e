// Package packages_test builds the Debian packages, and installs, uses and purges them in fresh systems of two releases.
package packages_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
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

// Has lintian no error to tell of?
func TestLintian(t *testing.T) {
	changes, err := filepath.Glob(filepath.Join(packages(t), "*.changes"))
	if err != nil || len(changes) != 1 {
		t.Fatalf("%v %v", changes, err)
	}
	output, err := exec.Command("lintian", "--allow-root", "--fail-on", "error", changes[0]).CombinedOutput()
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

// files are all below a directory that a package may have put there. What dpkg, the dynamic linker and servers keep of their own is no package's.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir)
		switch name {
		case "/var/lib/dpkg", "/var/cache", "/var/log", "/etc/ld.so.cache", "/dev", "/proc", "/sys", "/run", "/tmp", "/packages":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		found = append(found, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// fresh is a system of a release with nginx, made by mmdebstrap(1) from the mirror that apt uses.
func fresh(t *testing.T, release string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	mirror := run(t, "/", "sh", "-c",
		`apt-get indextargets --format '$(COMPONENT) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "main" { print $2; exit }'`)
	run(t, "/", "mmdebstrap", "--quiet", "--variant=essential", "--include=nginx", release, dir, strings.TrimSpace(mirror))
	// What gosess and systems know of their own processes.
	run(t, "/", "mount", "-t", "proc", "proc", filepath.Join(dir, "proc"))
	t.Cleanup(func() { run(t, "/", "umount", filepath.Join(dir, "proc")) })
	// Its parents are the test's alone, and the workers another user.
	for path := dir; path != "/" && path != os.TempDir(); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Do the packages install in a fresh system, does nginx resume over a restart once it is enabled, and is nothing left
// when they are purged?
func TestFreshSystems(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make a system")
	}
	for _, release := range []string{"bookworm", "trixie"} {
		t.Run(release, func(t *testing.T) {
			dir := packages(t)
			system := fresh(t, release)
			before := files(t, system)
			run(t, "/", "sh", "-c", `mkdir "$2/packages" && cp "$1"/*.deb "$2/packages" && rm "$2"/packages/*-dbgsym_*`, "sh", dir, system)
			inside := func(words ...string) string {
				t.Helper()
				return run(t, "/", "chroot", append([]string{system}, words...)...)
			}
			// libgosess-dev needs libssl-dev, which is no part of a server.
			inside("sh", "-c", "rm packages/libgosess-dev_* && dpkg --install packages/*.deb")
			if said := inside("gosess", "version"); !strings.Contains(said, "libssl") {
				t.Errorf("gosess version: %s", said)
			}
			said := inside("gosess", "enable", "nginx")
			resumesOverRestart(t, system, environmentOf(t, filepath.Join(system, "etc/systemd/system/nginx.service.d/50-gosess.conf")))
			if !strings.Contains(said, "systemctl restart nginx") {
				t.Errorf("gosess enable: %s", said)
			}
			if stats := inside("gosess", "stats", "shm:/var/lib/gosess/nginx"); !strings.Contains(stats, "hits") {
				t.Errorf("gosess stats: %s", stats)
			}
			inside("dpkg", "--purge", "gosess", "gosess-agent", "libgosess0")
			after := files(t, system)
			for _, name := range after {
				if !slices.Contains(before, name) {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

// environmentOf is what systemd reads in a drop-in, for words without per cent signs.
func environmentOf(t *testing.T, path string) (variables []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			variables = append(variables, strings.Trim(value, `"`))
		}
	}
	return variables
}

// resumesOverRestart has clients resume what nginx gave them before it was started again: by id, and by ticket.
func resumesOverRestart(t *testing.T, root string, environment []string) {
	t.Helper()
	system := harness.System{Root: root}
	nginx, err := harness.NewNginx(system.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	nginx.System, nginx.Env, nginx.Tickets = system, environment, true
	if err := os.MkdirAll(filepath.Join(root, "var/lib/gosess"), 0o755); err != nil { // systemd's StateDirectory
		t.Fatal(err)
	}
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := nginx.Stop(); err != nil {
			t.Error(err)
		}
	}()
	for _, arguments := range [][]string{{"--tls", "1.2", "--no-ticket"}, {"--tls", "1.2"}, {"--tls", "1.3"}} {
		pool := filepath.Join(t.TempDir(), "pool")
		arguments = append(arguments, "--sessions", "20")
		made, err := harness.Load(nginx.Port(), append(arguments, "--attempts", "0", "--save", pool)...)
		if err != nil || made.Errors != 0 {
			t.Fatalf("%v %+v", err, made)
		}
		if err := nginx.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := nginx.Start(); err != nil {
			t.Fatal(err)
		}
		r, err := harness.Load(nginx.Port(), append(arguments, "--attempts", "20", "--load", pool)...)
		if err != nil || r.Resumed != 20 || r.Errors != 0 {
			t.Errorf("%v: %v %+v", arguments, err, r)
		}
	}
}
