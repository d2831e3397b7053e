package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A service is given a drop-in, another one in its place, and none again; nothing else of the system changes.
func TestEnableAndDisable(t *testing.T) {
	root := t.TempDir()
	for _, service := range []string{"nginx", "haproxy", "apache2"} {
		folder := filepath.Join(root, "etc/systemd/system", service+".service.d")
		path := filepath.Join(folder, "50-gosess.conf")
		r := gosess(t, home, nil, "enable", "--root", root, service)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err, r)
		}
		for _, line := range []string{
			"Environment=LD_PRELOAD=" + filepath.Join(home, "bin", library) + "\n", "StateDirectory=gosess\n",
			"Environment=\"GOSESS_CACHE=shm:/var/lib/gosess/" + service + "?size=64m\"\n", "Environment=GOSESS_TICKETS=shared\n",
		} {
			if !strings.Contains(string(text), line) {
				t.Errorf("%s: no line %q in\n%s", service, line, text)
			}
		}
		if r.status != 0 || !strings.Contains(r.stdout, string(text)) || !strings.Contains(r.stdout, "systemctl restart "+service) {
			t.Errorf("%s: %+v", service, r)
		}
		if r := gosess(t, home, nil, "enable", service, "--root", root, "--tickets", "keep", "--cache", "shm:/srv/50%?size=1m"); r.status != 0 {
			t.Errorf("%s, again: %+v", service, r)
		}
		if text, _ = os.ReadFile(path); !strings.Contains(string(text), `"GOSESS_CACHE=shm:/srv/50%%?size=1m"`) || !strings.Contains(string(text), "TICKETS=keep\n") {
			t.Errorf("%s, again:\n%s", service, text)
		}
		if r := gosess(t, home, nil, "disable", "--root", root, service); r.status != 0 {
			t.Errorf("%s: %+v", service, r)
		}
		if _, err := os.Lstat(folder); !os.IsNotExist(err) {
			t.Errorf("%s: the folder is left: %v", service, err)
		}
		if r := gosess(t, home, nil, "disable", "--root", root, service); r.status != 1 || !strings.Contains(r.stderr, service+" is not enabled: ") {
			t.Errorf("%s, twice: %+v", service, r)
		}
	}
}

// What somebody else wrote stays, and so does what lies beside it.
func TestEnableLeavesOthersAlone(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "etc/systemd/system/nginx.service.d")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	other, ours := filepath.Join(folder, "limits.conf"), filepath.Join(folder, "50-gosess.conf")
	for _, path := range []string{other, ours} {
		if err := os.WriteFile(path, []byte("[Service]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"enable", "disable"} {
		r := gosess(t, home, nil, command, "--root", root, "nginx")
		if r.status != 1 || !strings.Contains(r.stderr, "was not made by gosess") {
			t.Errorf("%s: %+v", command, r)
		}
	}
	if err := os.Remove(ours); err != nil {
		t.Fatal(err)
	}
	gosess(t, home, nil, "enable", "--root", root, "nginx")
	gosess(t, home, nil, "disable", "--root", root, "nginx")
	if text, err := os.ReadFile(other); err != nil || string(text) != "[Service]\n" {
		t.Errorf("%q %v", text, err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
}

// The examples are what enable writes where make install has put the library.
func TestEnableExamples(t *testing.T) {
	for _, service := range []string{"nginx", "haproxy", "apache2"} {
		r := gosess(t, home, nil, "enable", "--show", service)
		want := strings.ReplaceAll(r.stdout, filepath.Join(home, "bin", library), "/usr/local/lib/libgosess.so.0")
		text, err := os.ReadFile("../../examples/systemd/" + service + ".conf")
		if err != nil || string(text) != want {
			t.Errorf("%s: %v\n%s\nnot\n%s", service, err, text, want)
		}
	}
}

// imageFor has a folder of systemd's, below a root of its own.
func imageFor(t *testing.T) (root, system string) {
	t.Helper()
	root = t.TempDir()
	system = filepath.Join(root, "etc/systemd/system")
	if err := os.MkdirAll(system, 0o755); err != nil {
		t.Fatal(err)
	}
	return root, system
}

// What has the file's name and is no file stays too, and is neither waited for nor read to an end that it does not have.
func TestEnableMeetsNoFile(t *testing.T) {
	root, system := imageFor(t)
	folder := filepath.Join(system, "nginx.service.d")
	path := filepath.Join(folder, "50-gosess.conf")
	for name, make := range map[string]func() error{
		"a pipe":             func() error { return syscall.Mkfifo(path, 0o644) },
		"a folder":           func() error { return os.Mkdir(path, 0o755) },
		"a mask":             func() error { return os.Symlink("/dev/null", path) },
		"what never ends":    func() error { return os.Symlink("/dev/zero", path) },
		"a link to nowhere":  func() error { return os.Symlink("nowhere", path) },
		"half of the mark":   func() error { return os.WriteFile(path, []byte(dropInMark[:9]), 0o644) },
		"the mark of others": func() error { return os.WriteFile(path, []byte(strings.ToUpper(dropInMark)+"\n"), 0o644) },
	} {
		if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o755), make()); err != nil {
			t.Fatal(err)
		}
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"enable", "disable"} {
			r := bounded(t, 0, command, "--root", root, "nginx")
			if r.status != 1 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, path+": it was not made by gosess") {
				t.Errorf("%s, %s: %+v", name, command, r)
			}
		}
		if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s is not there any more: %v", name, err)
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
			t.Errorf("%s: there is something new: %v %v", name, left, err)
		}
	}
}

// No link in an image leads enable or disable into the system that they run in.
func TestEnableStaysInItsRoot(t *testing.T) {
	root, system := imageFor(t)
	outside := t.TempDir()
	for _, where := range []string{filepath.Join(system, "nginx.service.d"), system, filepath.Join(root, "etc")} {
		if err := errors.Join(os.RemoveAll(where), os.Symlink(outside, where)); err != nil {
			t.Fatal(err)
		}
		if r := gosess(t, home, nil, "enable", "--root", root, "nginx"); r.status != 1 || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", where, r)
		}
		if left, err := os.ReadDir(outside); err != nil || len(left) != 0 {
			t.Fatalf("%s: written outside: %v %v", where, left, err)
		}
	}
	gosess(t, home, nil, "enable", "--root", outside, "nginx")
	if err := errors.Join(os.Remove(filepath.Join(root, "etc")), os.Symlink(filepath.Join(outside, "etc"), filepath.Join(root, "etc"))); err != nil {
		t.Fatal(err)
	}
	if r := gosess(t, home, nil, "disable", "--root", root, "nginx"); r.status != 1 || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("disable: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(outside, "etc/systemd/system/nginx.service.d/50-gosess.conf")); err != nil {
		t.Error("removed outside")
	}
}

// A folder of drop-ins that is a link stays one, with what others have in it; what an attempt has left that was killed is no obstacle.
func TestEnableInLinkedFolder(t *testing.T) {
	_, system := imageFor(t)
	root := filepath.Join(system, "../../..")
	shared := filepath.Join(system, "shared")
	if err := errors.Join(os.Mkdir(shared, 0o755), os.Symlink("shared", filepath.Join(system, "nginx.service.d"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"limits.conf", ".50-gosess.new"} {
		if err := os.WriteFile(filepath.Join(shared, name), []byte("[Service]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if r := gosess(t, home, nil, "enable", "--root", root, "nginx"); r.status != 0 {
		t.Errorf("%+v", r)
	}
	if text, err := os.ReadFile(filepath.Join(shared, "50-gosess.conf")); err != nil || !strings.HasPrefix(string(text), dropInMark) {
		t.Errorf("%s %v", text, err)
	}
	if r := gosess(t, home, nil, "disable", "--root", root, "nginx"); r.status != 0 {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(filepath.Join(system, "nginx.service.d")); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
}
