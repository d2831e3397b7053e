package packages_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

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
		case "/var/lib/dpkg", "/var/cache", "/var/log", "/etc/ld.so.cache", "/dev", "/proc", "/sys", "/run", "/tmp", "/packages", "/var/lib/nginx":
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

// fresh is a system of a release with the servers that gosess enable knows, made by mmdebstrap(1) from the mirror that apt uses.
func fresh(t *testing.T, release string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	mirror := run(t, "/", "sh", "-c",
		`apt-get indextargets --format '$(COMPONENT) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "main" { print $2; exit }'`)
	run(t, "/", "mmdebstrap", "--quiet", "--variant=essential", "--include=nginx,haproxy,apache2-bin", release, dir, strings.TrimSpace(mirror))
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

// services are what gosess enable knows, each configured as Debian does where it comes to sessions.
var services = []struct {
	name string
	make func(system harness.System, dir string, env []string) (server harness.Server, port int, err error)
}{
	{"nginx", func(system harness.System, dir string, env []string) (harness.Server, int, error) {
		n, err := harness.NewNginx(dir)
		if err != nil {
			return nil, 0, err
		}
		n.System, n.Env, n.Tickets = system, env, true
		return n, n.Port(), nil
	}},
	{"haproxy", func(system harness.System, dir string, env []string) (harness.Server, int, error) {
		h, err := harness.NewHAProxy(dir)
		if err != nil {
			return nil, 0, err
		}
		h.System, h.Env = system, env
		return h, h.Port, nil
	}},
	{"apache2", func(system harness.System, dir string, env []string) (harness.Server, int, error) {
		h, err := harness.NewHTTPD(dir)
		if err != nil {
			return nil, 0, err
		}
		h.System, h.Env, h.SSL = system, env, "SSLSessionCache shmcb:"+filepath.Join(dir, "cache")+"(512000)"
		return h, h.Port(), nil
	}},
}

// Do the packages install in a fresh system, does each server resume over a restart once it is enabled, is it as before once it is
// disabled, and is nothing left when they are purged, whatever is enabled?
func TestFreshSystems(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make a system")
	}
	for _, release := range []string{"bookworm", "trixie"} {
		t.Run(release, func(t *testing.T) {
			dir := packages(t)
			t.Parallel()
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
			for _, service := range services {
				dropIn := filepath.Join(system, "etc/systemd/system", service.name+".service.d/50-gosess.conf")
				said := inside("gosess", "enable", service.name)
				if !strings.Contains(said, "systemctl restart "+service.name) {
					t.Errorf("gosess enable: %s", said)
				}
				chroot := harness.System{Root: system}
				server, port, err := service.make(chroot, chroot.TempDir(t), environmentOf(t, dropIn))
				if err != nil {
					t.Fatal(err)
				}
				resumesOverRestart(t, system, server, port)
				if stats := inside("gosess", "stats", "shm:/var/lib/gosess/"+service.name); !strings.Contains(stats, "hits") {
					t.Errorf("gosess stats: %s", stats)
				}
				inside("gosess", "disable", service.name)
				if _, err := os.Lstat(filepath.Dir(dropIn)); !os.IsNotExist(err) {
					t.Errorf("gosess disable: %v", err)
				}
				server, port, err = service.make(chroot, chroot.TempDir(t), nil)
				if err != nil {
					t.Fatal(err)
				}
				servesWithout(t, server, port)
				inside("gosess", "enable", service.name)
			}
			inside("dpkg", "--purge", "gosess", "gosess-agent", "libgosess0")
			nothingLeft := func() {
				t.Helper()
				for _, name := range files(t, system) {
					if !slices.Contains(before, name) {
						t.Errorf("%s is left", name)
					}
				}
			}
			nothingLeft()
			followsManual(t, system, dir)
			nothingLeft()
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

// resumesOverRestart has clients resume what a server gave them before it was started again: by id, and by ticket.
func resumesOverRestart(t *testing.T, root string, server harness.Server, port int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "var/lib/gosess"), 0o755); err != nil { // systemd's StateDirectory
		t.Fatal(err)
	}
	running(t, server, func() {
		for _, arguments := range [][]string{{"--tls", "1.2", "--no-ticket"}, {"--tls", "1.2"}, {"--tls", "1.3"}} {
			pool := filepath.Join(t.TempDir(), "pool")
			arguments = append(arguments, "--sessions", "20")
			made, err := harness.Load(port, append(arguments, "--attempts", "0", "--save", pool)...)
			if err != nil || made.Errors != 0 {
				t.Fatalf("%v %+v", err, made)
			}
			if err := harness.StopAndStart(server); err != nil {
				t.Fatal(err)
			}
			r, err := harness.Load(port, append(arguments, "--attempts", "20", "--load", pool)...)
			if err != nil || r.Resumed != 20 || r.Errors != 0 {
				t.Errorf("%v: %v %+v: %s", arguments, err, r, server.Log())
			}
		}
	})
}

// servesWithout has clients come to a server in which there must be nothing of gosess.
func servesWithout(t *testing.T, server harness.Server, port int) {
	t.Helper()
	running(t, server, func() {
		if r, err := harness.Load(port, "--sessions", "4", "--attempts", "0"); err != nil || r.Errors != 0 {
			t.Errorf("%v %+v", err, r)
		}
		for _, process := range append(server.Workers(), server.Master()) {
			if process.Maps("gosess") {
				t.Errorf("process %d has gosess", process.PID)
			}
		}
	})
}

func running(t *testing.T, server harness.Server, do func()) {
	t.Helper()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	do()
}
