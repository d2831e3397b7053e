package nginx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// Whatever is wrong with the Go half, every handshake succeeds, and one line says what is wrong.
func TestUnusableCore(t *testing.T) {
	for _, test := range []struct {
		name  string
		make  func(t *testing.T, path string)
		names string // what the line holds
	}{
		{"missing", func(*testing.T, string) {}, "core"},
		{"garbage", func(t *testing.T, path string) { write(t, path, strings.Repeat("garbage\n", 1000)) }, "core"},
		{"empty", func(t *testing.T, path string) { write(t, path, "") }, "core"},
		{"other ABI", func(t *testing.T, path string) { compile(t, "other_abi.c", path) }, "version"},
		{"hangs", func(t *testing.T, path string) { compile(t, "slow_start.c", path) }, "core"},
		{"fails", func(t *testing.T, path string) { compile(t, "no_start.c", path) }, "core"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, anonymous)
			path := filepath.Join(s.Dir, "core.so")
			test.make(t, path)
			s.Env = append(s.Env, "GOSESS_CORE="+path)
			if test.name != "hangs" {
				s.servesWithout(test.names)
				return
			}
			// Its line, which a busy machine may be the reason of elsewhere, is not among those that are counted.
			s.do(s.Start)
			s.refuses(few("1.2")...)
			s.refuses(few("1.3")...)
			if late := strings.Count(s.Log(), path+" has not within"); late != 1 || !harness.SaysLate(s.Log()) {
				t.Errorf("%d lines say that it hangs", late)
			}
		})
	}
}

// A Go half that nobody may read. Root may read anything, so this nginx is not root's.
func TestUnreadableCore(t *testing.T) {
	s := newServer(t, anonymous)
	built, err := harness.Built(core)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir, "core.so")
	write(t, path, string(data))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	s.Env = append(s.Env, "GOSESS_CORE="+path)
	s.Unprivileged = true
	s.servesWithout("core")
}

// A GOSESS_CACHE that cannot be used: one line names the word, and what is allowed.
func TestUnusableCache(t *testing.T) {
	dir := system.TempDir(t)
	short, long := filepath.Join(dir, "short"), filepath.Join(dir, "long")
	foreign := map[string]string{short: "not a store of gosess\n", long: strings.Repeat("not a store of gosess\n", 100000)}
	for path, text := range foreign {
		write(t, path, text)
		if err := os.Chmod(path, 0o600); err != nil { // else the mode alone is a reason
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, url string
		names     []string
	}{
		{"unknown scheme", "shn:?size=64m", []string{`"shn"`, "allowed", "shm"}},
		{"unknown option", "shm:?sice=64m", []string{`"sice"`, "allowed", "size"}},
		{"size 0", "shm:?size=0", []string{`"0"`, "allowed", "1m"}},
		{"size of no number", "shm:?size=big", []string{`"big"`, "allowed"}},
		{"relative path", "shm:store?size=1m", []string{`"store"`, "allowed", "absolute"}},
		{"two URLs", "shm: valkey://127.0.0.1", []string{`"valkey://127.0.0.1"`, "allowed"}},
		{"more than the disk", "shm:" + dir + "/large?size=1024g", []string{`1024g`, "disk", "allowed"}},
		{"more than the memory", "shm:?size=1024g", []string{`1024g`, "allowed"}},
		{"no such directory", "shm:" + dir + "/nowhere/store?size=1m", []string{dir + "/nowhere"}},
		{"a directory", "shm:" + dir, []string{dir, "directory"}},
		{"not ours", "shm:" + short, []string{short, "allowed"}},
		{"not ours, and large", "shm:" + long, []string{long, "allowed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, test.url)
			s.servesWithout(test.names...)
		})
	}
	for path, text := range foreign {
		if data, err := os.ReadFile(path); err != nil || string(data) != text {
			t.Errorf("%s is not ours and has changed: %v", path, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != len(foreign) {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// servesWithout starts the server, wants full handshakes that succeed, and one line of
// gosess that holds all the words.
func (s *server) servesWithout(words ...string) {
	s.t.Helper()
	s.says = 1
	s.do(s.Start)
	s.refuses(few("1.2")...)
	s.refuses(few("1.3")...)
	for _, line := range s.Said() {
		for _, word := range words {
			if !strings.Contains(line, word) {
				s.t.Errorf("no %q in %q", word, line)
			}
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// compile makes a shared object of a stand-in for the Go half.
func compile(t *testing.T, source, path string) {
	t.Helper()
	must(t, harness.SharedObject(path, "tests/nginx/testdata/"+source))
}
