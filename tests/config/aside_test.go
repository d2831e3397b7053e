package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestStoresKeptAside(t *testing.T) {
	tests := []struct {
		name string
		fix  bool
		edit func(header []byte)
		word string
	}{
		{"version", true, func(h []byte) { h[8]++ }, "another version"},
		{"checksum", false, func(h []byte) { h[60] ^= 1 }, "damaged"},
		{"created", false, func(h []byte) { h[24] ^= 1 }, "damaged"},
		{"id", false, func(h []byte) { h[40] ^= 1 }, "damaged"},
		{"reserved", false, func(h []byte) { h[50] = 1 }, "damaged"},
		{"header size", true, func(h []byte) { h[12] = 128 }, "damaged"},
		{"size", true, func(h []byte) { h[18]++ }, "damaged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "web")
			old := edited(t, path, test.fix, test.edit)
			a := good(t, "check", url(path), "")
			if !strings.Contains(a.text, test.word) || !strings.Contains(a.text, path+".old") {
				t.Errorf("check says %q", a.text)
			}
			a = good(t, "open", url(path), "")
			if !strings.Contains(a.text, test.word) || !strings.Contains(a.text, path+".old") {
				t.Errorf("the note is %q", a.text)
			}
			if a.field(t, "opens") != "1" {
				t.Error("not an empty store")
			}
			kept, err := os.ReadFile(path + ".old")
			if err != nil || !bytes.Equal(kept, old) {
				t.Errorf("%s.old is not the old file (%v)", path, err)
			}
			if a := good(t, "open", url(path), ""); a.field(t, "note") != "" {
				t.Errorf("a second note: %q", a.text)
			}
		})
	}
}

func damage(h []byte) { h[60] ^= 1 }

// checkAndOpen wants the command's check and an open to say some words, and an empty store of it.
func checkAndOpen(t *testing.T, path string, words ...string) {
	t.Helper()
	for _, what := range []string{"check", "open"} {
		a := good(t, what, url(path), "")
		for _, word := range words {
			if !strings.Contains(a.text, word) {
				t.Errorf("%s: %q is missing in %q", what, word, a.text)
			}
		}
		if what == "open" && a.field(t, "opens") != "1" {
			t.Error("not an empty store")
		}
	}
}

// However often versions take turns at one path, one old store is kept: the last.
func TestOneOldStoreIsKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web")
	for n := range 5 {
		old := edited(t, path, true, func(h []byte) { h[8] = byte(100 + n) })
		checkAndOpen(t, path, "another version", path+".old", "empty one")
		if kept, err := os.ReadFile(path + ".old"); err != nil || !bytes.Equal(kept, old) {
			t.Errorf("round %d: %s.old is not the last store (%v)", n, path, err)
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"web", "web.key", "web.old"}) {
		t.Errorf("it left %q", got)
	}
}

// What lies at PATH.old and is no store of this user's stays: the damaged store goes without being kept.
func TestNothingIsOverwrittenByWhatIsKeptAside(t *testing.T) {
	store := append([]byte("gosess\r\n"), make([]byte, 4096)...)
	write := func(t *testing.T, name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]func(t *testing.T, old string){
		"a file":    func(t *testing.T, old string) { write(t, old, []byte("not a store of gosess\n")) },
		"empty":     func(t *testing.T, old string) { write(t, old, nil) },
		"too short": func(t *testing.T, old string) { write(t, old, store[:7]) },
		"a directory": func(t *testing.T, old string) {
			if err := os.Mkdir(old, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"a link to a store": func(t *testing.T, old string) {
			write(t, old+".else", store)
			if err := os.Symlink(old+".else", old); err != nil {
				t.Fatal(err)
			}
		},
		"a FIFO": func(t *testing.T, old string) {
			if err := syscall.Mkfifo(old, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
	if os.Geteuid() == 0 {
		tests["another user's store"] = func(t *testing.T, old string) {
			write(t, old, store)
			if err := os.Chown(old, 12345, 12345); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, lay := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "web")
			lay(t, path+".old")
			before, err := os.Lstat(path + ".old")
			if err != nil {
				t.Fatal(err)
			}
			edited(t, path, false, damage)
			checkAndOpen(t, path, "damaged", "remove", path+".old", "no store of this user's", "stays")
			after, err := os.Lstat(path + ".old")
			if err != nil || !os.SameFile(before, after) || after.Size() != before.Size() {
				t.Errorf("%s.old is not what it was (%v)", path, err)
			}
			if a := good(t, "open", url(path), ""); a.field(t, "note") != "" {
				t.Errorf("a second note: %q", a.text)
			}
		})
	}
}
