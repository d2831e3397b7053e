package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every error is one line on stderr that says what is allowed; stdout stays empty.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("text\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args   []string
		status int
		word   string
	}{
		{nil, 2, "allowed: run, check, stats, "},
		{[]string{"start"}, 2, `"start"`},
		{[]string{"check"}, 2, "one URL"},
		{[]string{"check", "shm:", "shm:"}, 2, "one URL"},
		{[]string{"check", "--loud", "shm:"}, 2, "-loud"},
		{[]string{"check", "redis://h"}, 1, `unknown scheme "redis"; allowed: memory, shm`},
		{[]string{"check", "shm:" + text}, 1, "is not a store of gosess"},
		{[]string{"check", "--keys", dir + "/no", "shm:"}, 1, dir + "/no"},
		{[]string{"keygen", "x"}, 2, "no arguments"},
		{[]string{"version", "x"}, 2, "no arguments"},
		{[]string{"help", "start"}, 2, `"start"`},
		{[]string{"help", "check", "stats"}, 2, `"check stats"`},
		{[]string{"enable"}, 2, "nginx, haproxy, apache2"},
		{[]string{"enable", "sshd"}, 2, "nginx, haproxy, apache2"},
		{[]string{"enable", "nginx", "--tickets", "no"}, 2, "keep, stateful"},
		{[]string{"enable", "nginx", "--cache", "shm:/a\"b"}, 2, "without quotes"},
		{[]string{"disable", "nginx", "haproxy"}, 2, "nginx, haproxy, apache2"},
		{[]string{"completion"}, 2, "bash, zsh or fish"},
		{[]string{"completion", "csh"}, 2, "bash, zsh or fish"},
		{[]string{"serve", "--listen", "127.0.0.1:0", "shm:/x", "shm:/x"}, 2, "shm:/x is there twice"},
		{[]string{"stats"}, 2, "one URL, or --pid"},
		{[]string{"stats", "--pid", "1", "shm:/x"}, 2, "one URL, or --pid"},
		{[]string{"stats", "--pid", "one"}, 2, "pid"},
		{[]string{"stats", "shm:"}, 1, "--pid PID"},
		{[]string{"stats", "memory:"}, 1, "has no store"},
		{[]string{"stats", "--pid", "2147483647"}, 1, "there is no process 2147483647"},
		{[]string{"stats", "shm:" + dir + "/no"}, 1, "no such file or directory; a server makes the store"},
		{[]string{"stats", "--wacht", "1s", "shm:"}, 2, "stats: unknown option --wacht; allowed: --json, --pid, --prometheus, --watch; see"},
		{[]string{"stats", "--watch", "1", "shm:"}, 2, `--watch "1" is not allowed; allowed: INTERVAL, 1s for example`},
		{[]string{"stats", "--json=no", "shm:"}, 2, "--json takes no value"},
		{[]string{"keys", "export", "--to", dir + "/to", "shm:/x"}, 2, "--for is missing; allowed: nginx"},
		{[]string{"doctor", "localhost"}, 2, "as in www.example.org:443"},
		{[]string{"stats", "shm:" + dir}, 1, "not a regular file"},
		{[]string{"stats", "shm:" + text}, 1, "not a"},
		{[]string{"stats", "--pid", fmt.Sprint(os.Getpid())}, 1, "named by its URL"},
		{[]string{"run"}, 2, "a program is missing"},
		{[]string{"run", "--"}, 2, "a program is missing"},
		{[]string{"run", "--cache", "shm:?size=0", "--", "true"}, 2, `"0" is out of range`},
		{[]string{"run", "--cache", "shm:" + text, "--", "true"}, 2, "is not a store of gosess"},
		{[]string{"run", "--tickets", "none", "--", "true"}, 2, "keep, stateful"},
		{[]string{"run", "--keys", dir + "/no", "--", "true"}, 2, dir + "/no"},
		{[]string{"run", "--log", "loud", "--", "true"}, 2, "off, error, info, debug"},
		{[]string{"run", "--", "/no/such/program"}, 127, "/no/such/program"},
		{[]string{"run", "--", dir}, 127, dir},
	}
	for _, test := range tests {
		r := gosess(t, home, nil, test.args...)
		if r.status != test.status || r.stdout != "" || !strings.HasPrefix(r.stderr, "gosess: ") ||
			strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, test.word) {
			t.Errorf("%q: %+v, want status %d and %q", test.args, r, test.status, test.word)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	r := gosess(t, home, nil, "check", "shm:"+dir+"/web?size=1m")
	if want := "would make store " + dir + "/web of size 1m\n"; r.status != 0 || r.stdout != want {
		t.Errorf("%+v, want %q", r, want)
	}
	if _, err := os.Lstat(dir + "/web"); err == nil {
		t.Error("check made the store")
	}
	r = gosess(t, home, []string{"GOSESS_KEYS=" + dir + "/no"}, "check", "shm:")
	if r.status != 1 || !strings.Contains(r.stderr, dir+"/no") {
		t.Errorf("GOSESS_KEYS: %+v", r)
	}
}

// A Go half that is missing, or of another version, is found before a server finds it.
func TestCheckLooksForTheLibrary(t *testing.T) {
	dir := t.TempDir()
	if err := install(dir, "bin", "lib"); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "lib", core)
	says := func(word string) {
		t.Helper()
		if r := gosess(t, dir, nil, "check", "shm:"); r.status != 1 || r.stdout != "" || !strings.Contains(r.stderr, word) {
			t.Errorf("%+v, want %q", r, word)
		}
	}
	if r := gosess(t, dir, nil, "check", "shm:"); r.status != 0 {
		t.Errorf("%+v", r)
	}
	if err := marked(there, "1.2.4 78"); err != nil {
		t.Fatal(err)
	}
	says("the Go half " + there + " does not fit ")
	if err := os.WriteFile(there, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	says("the Go half " + there + " does not fit ")
	if err := os.Remove(there); err != nil {
		t.Fatal(err)
	}
	says("the Go half of the library is missing: open " + there)
}

func TestKeygen(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		r := gosess(t, home, nil, "keygen")
		raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(r.stdout, "\n"))
		if r.status != 0 || err != nil || len(raw) != 32 {
			t.Fatalf("%+v", r)
		}
		seen[r.stdout] = true
		keys := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(keys, []byte(r.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := gosess(t, home, nil, "check", "--keys", keys, "shm:"); r.status != 0 {
			t.Errorf("check --keys: %+v", r)
		}
	}
	if len(seen) != 2 {
		t.Error("twice the same key")
	}
}
