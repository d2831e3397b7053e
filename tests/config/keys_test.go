package config_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// key is the text of a key, of which the n-th byte value is told apart.
func key(n int) string {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(n*37 + i*11)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func writeKeys(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fingerprint is the driver's: FNV-1a over all keys.
func fingerprint(t *testing.T, keys ...string) string {
	t.Helper()
	hash := uint32(2166136261)
	for _, k := range keys {
		raw, err := base64.StdEncoding.Strict().DecodeString(k)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range raw {
			hash = (hash ^ uint32(b)) * 16777619
		}
	}
	return fmt.Sprintf("%d/%08x", len(keys), hash)
}

func TestKeys(t *testing.T) {
	var sixteen []string
	for i := range 16 {
		sixteen = append(sixteen, key(i))
	}
	tests := []struct {
		name, content string
		want          []string
	}{
		{"one", key(1) + "\n", []string{key(1)}},
		{"no line end", key(1), []string{key(1)}},
		{"two, newest first", key(1) + "\n" + key(2) + "\n", []string{key(1), key(2)}},
		{"CRLF", key(1) + "\r\n\r\n" + key(2) + "\r\n", []string{key(1), key(2)}},
		{"comments and blank lines", "# new\n\n" + key(1) + "\n#" + key(3) + "\n" + key(2), []string{key(1), key(2)}},
		{"sixteen", strings.Join(sixteen, "\n"), sixteen},
	}
	for _, test := range tests {
		want := fingerprint(t, test.want...)
		if got := good(t, "keys", writeKeys(t, test.content)).field(t, "keys"); got != want {
			t.Errorf("%s: %s, want %s", test.name, got, want)
		}
	}
}

// No error shows a byte of the file: it may be a key with one letter wrong.
func TestKeyErrors(t *testing.T) {
	good := key(1)
	tests := []struct{ name, content, word string }{
		{"empty", "", "holds no key"},
		{"comments only", "# none\n\n", "holds no key"},
		{"short", good[:40] + "\n", "line 1"},
		{"long", good + "A\n", "line 1"},
		{"no padding", good[:43] + "\n", "line 1"},
		{"padding inside", good[:41] + "===\n", "line 1"},
		{"space before", " " + good + "\n", "line 1"},
		{"space after", good + " \n", "line 1"},
		{"a wrong letter", good[:20] + "!" + good[21:] + "\n", "line 1"},
		{"the URL alphabet", "-_" + good[2:] + "\n", "line 1"},
		{"a zero byte", good[:20] + "\x00" + good[21:] + "\n", "line 1"},
		{"bits left over", good[:42] + "B=\n", "line 1"},
		{"the second line", good + "\n" + good[:43] + "*\n", "line 2"},
		{"hexadecimal", strings.Repeat("0a", 32), "line 1"},
		{"seventeen", strings.Repeat(good+"\n", 17), "more than 16"},
		{"large", strings.Repeat("#\n", 9000), "more than 16384 bytes"},
	}
	for _, test := range tests {
		path := writeKeys(t, test.content)
		a := drive(t, nil, "keys", path)
		if a.ok || !strings.Contains(a.text, test.word) || !strings.Contains(a.text, path) {
			t.Errorf("%s: %q, want %q", test.name, a.text, test.word)
		}
		for i := 0; i+6 <= len(good); i++ {
			if strings.Contains(a.text+a.stderr, good[i:i+6]) {
				t.Errorf("%s: the error shows the key", test.name)
				break
			}
		}
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	bad(t, []string{path, "No such file", "gosess keygen"}, nil, "keys", path)
	bad(t, []string{dir, "a directory"}, nil, "keys", dir)
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	bad(t, []string{fifo, "a FIFO"}, nil, "keys", fifo)

	if err := os.WriteFile(path, []byte(key(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	good(t, "keys", link)
	bad(t, []string{link, "symbolic link"}, nil, "keys", link, "create")
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		bad(t, []string{path, fmt.Sprintf("%04o", mode), "0600"}, nil, "keys", path)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	good(t, "keys", path)
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give a file away")
	}
	if err := os.Chown(path, 33, 33); err != nil {
		t.Fatal(err)
	}
	bad(t, []string{path, "user 33"}, nil, "keys", path)
}

// Of two that make a key file at once, the late one uses the other's.
func TestRaceToMakeKeys(t *testing.T) {
	rival := writeKeys(t, key(1))
	path := filepath.Join(filepath.Dir(rival), "made")
	a := drive(t, []string{"DRIVER_RIVAL=" + rival}, "keys", path, "create")
	if got, want := a.field(t, "keys"), fingerprint(t, key(1)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := names(t, filepath.Dir(rival)); len(got) != 2 {
		t.Errorf("it left %q", got)
	}
}

// A key file is made once, and only beside a store.
func TestKeyFileOfAStore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web")
	absent := filepath.Join(dir, "absent")
	bad(t, []string{absent, "No such file"}, nil, "open", url(path)+"&keys="+absent, "")
	bad(t, []string{absent, "No such file"}, nil, "open", url(path), absent)
	bad(t, []string{absent, "No such file"}, nil, "open", "shm:?keys="+absent, "")
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("it left %q", got)
	}

	inURL, inVariable := writeKeys(t, key(1)), writeKeys(t, key(2)+"\n"+key(3))
	for _, u := range []string{url(path) + "&keys=" + inURL, "shm:?keys=" + inURL} {
		if got, want := good(t, "open", u, inVariable).field(t, "keys"), fingerprint(t, key(1)); got != want {
			t.Errorf("%s: %s, want %s: the URL wins", u, got, want)
		}
	}
	if got, want := good(t, "open", url(path), inVariable).field(t, "keys"), fingerprint(t, key(2), key(3)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("a key file was made: %q", got)
	}
	made := good(t, "open", url(path), "").field(t, "keys")
	content, err := os.ReadFile(path + ".key")
	if err != nil {
		t.Fatal(err)
	}
	if want := fingerprint(t, strings.TrimSuffix(string(content), "\n")); made != want {
		t.Errorf("%s, the file has %s", made, want)
	}
	if err := os.WriteFile(path+".key", []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"open", "check"} {
		bad(t, []string{path + ".key", "line 1"}, nil, what, url(path), "")
	}
}
