package main

import (
	"os"
	"path/filepath"
	"strings"
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
		if r := gosess(t, home, nil, "disable", "--root", root, service); r.status != 1 || !strings.Contains(r.stderr, "no such file") {
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
