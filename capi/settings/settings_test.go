package settings

import (
	"os"
	"strings"
	"testing"
)

// This package says the same as the C half that it is made of.
func TestSettings(t *testing.T) {
	got, err := Parse("shm:/run/web?size=2m&keys=/etc/k")
	if want := (URL{Path: "/run/web", Keys: "/etc/k", Size: 2 << 20}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if _, err := Parse("shm:web"); err == nil || !strings.Contains(err.Error(), `"web"`) {
		t.Errorf("error %v", err)
	}
	for size, want := range map[uint64]string{64 << 20: "64m", 3 << 30: "3g", 5 << 10: "5k", 1000: "1000", 0: "0"} {
		if got := SizeText(size); got != want {
			t.Errorf("SizeText(%d) is %q", size, got)
		}
	}
}

// A key file that is open is read as a server would, and says what else is in it.
func TestReadKeyFile(t *testing.T) {
	path := t.TempDir() + "/keys"
	text := "# of all machines\n" + strings.Repeat("A", 43) + "=\n\n" + strings.Repeat("B", 42) + "A=\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	keys, said, err := ReadKeyFile(file)
	if err != nil || len(keys) != 2 || keys[0][0] != 0 || keys[1][0] != 4 || string(said) != text {
		t.Errorf("%v, %q, %v", keys, said, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadKeyFile(file); err == nil || !strings.Contains(err.Error(), path+" is open to others") {
		t.Errorf("error %v", err)
	}
}
