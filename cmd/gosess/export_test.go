package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/tickets"
)

// secretStore is a store with the secrets of this period and the next, as a server has made them, and its sealing key.
func secretStore(t *testing.T, period int64) (path string) {
	t.Helper()
	const size = 1 << 20
	path = filepath.Join(t.TempDir(), "web")
	if err := os.WriteFile(path, append(header(size), make([]byte, size-64)...), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := gosess(t, home, nil, "keygen").stdout
	if err := os.WriteFile(path+".key", []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	mapping, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(mapping)
	store, err := shm.Open(mapping)
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := sessioncache.New(store, [][]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	fresh := func(secret []byte) { rand.Read(secret) }
	if _, err := tickets.Read(context.Background(), cache, tickets.Plan{Now: time.Now().Unix(), Period: period, Keep: 300}, fresh); err != nil {
		t.Fatal(err)
	}
	return path
}

// Exported keys are in files that only their owner reads, the same each time, and take the place of those before; nothing is
// written into the store.
func TestExport(t *testing.T) {
	const day = 24 * 3600
	path, to := secretStore(t, day), filepath.Join(t.TempDir(), "keys")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for kind, sizes := range map[string][]int64{"nginx": {80, 80, 80}, "envoy": {80, 80, 80}, "haproxy": {3 * 109}, "httpd": {48}, "ats": {3 * 48}} {
		export := func() (data []byte) {
			t.Helper()
			r := gosess(t, home, nil, "keys", "export", "--for", kind, "--period", "24h", "--to", to, "shm:"+path)
			if r.status != 0 || r.stdout != "" || !strings.Contains(r.stderr, "bound to no server name and no certificate") || strings.Count(r.stderr, "\n") != 1 {
				t.Fatalf("%s: %+v", kind, r)
			}
			for i, suffix := range []string{"", ".next", ".previous"}[:len(sizes)] {
				info, err := os.Stat(to + suffix)
				if err != nil || info.Mode() != 0o600 || info.Size() != sizes[i] {
					t.Errorf("%s%s: %v %v", kind, suffix, info, err)
				}
			}
			data, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		began := time.Now().Unix() / day
		if first, again := export(), export(); kind != "ats" && kind != "haproxy" && !bytes.Equal(first, again) && time.Now().Unix()/day == began {
			t.Errorf("%s: not the same twice: %x, %x", kind, first, again)
		}
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Error("the store has changed")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(to), ".*")); left != nil {
		t.Errorf("left: %q", left)
	}
}

// What cannot be exported is said, and writes nothing.
func TestExportErrors(t *testing.T) {
	path, to := secretStore(t, 24*3600), filepath.Join(t.TempDir(), "keys")
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte(gosess(t, home, nil, "keygen").stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   []string
		status int
		word   string
	}{
		{[]string{"--to", to, "shm:" + path}, 2, "nginx, haproxy, httpd, envoy, ats"},
		{[]string{"--for", "iis", "--to", to, "shm:" + path}, 2, `"iis"`},
		{[]string{"--for", "nginx", "shm:" + path}, 2, "--to"},
		{[]string{"--for", "nginx", "--to", to, "--period", "1d", "shm:" + path}, 2, "5m to 24h"},
		{[]string{"--for", "nginx", "--to", to, "--period", "4m", "shm:" + path}, 2, "5m to 24h"},
		{[]string{"--for", "nginx", "--to", to, "shm:" + path}, 1, "no server has made a secret of this period"},
		{[]string{"--for", "nginx", "--to", to, "--period", "24h", "--keys", other, "shm:" + path}, 1, "no server has made a secret"},
		{[]string{"--for", "nginx", "--to", to, "--keys", to, "shm:" + path}, 1, to},
		{[]string{"--for", "nginx", "--to", to, "--period", "24h", "shm:"}, 1, "no path"},
		{[]string{"--for", "nginx", "--to", to + "/no/keys", "--period", "24h", "shm:" + path}, 1, "no such file"},
	} {
		r := gosess(t, home, nil, append([]string{"keys", "export"}, test.args...)...)
		if r.status != test.status || !strings.Contains(r.stderr, test.word) {
			t.Errorf("%q: %+v, want status %d and %q", test.args, r, test.status, test.word)
		}
	}
	if left, _ := filepath.Glob(to + "*"); left != nil {
		t.Errorf("left: %q", left)
	}
}
