package window

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestServe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web"+Suffix)
	if _, err := Serve(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	write := func(mapping []byte) {
		if err := os.WriteFile(path, mapping, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(newMapping()[:HeaderSize])
	if _, err := Serve(path); !errors.Is(err, ErrDamaged) {
		t.Errorf("a short file: %v", err)
	}
	write(make([]byte, Size))
	if _, err := Serve(path); !errors.Is(err, ErrNotOurs) {
		t.Errorf("another file: %v", err)
	}
	write(newMapping())
	w, err := Serve(path)
	if err != nil {
		t.Fatal(err)
	}
	serving(w)
	if _, err := Serve(path); !errors.Is(err, ErrServed) {
		t.Errorf("a second agent: %v", err)
	}
	if !w.IsStill(path) {
		t.Error("the file is another one at once")
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	write(newMapping())
	if w.IsStill(path) {
		t.Error("a new file is taken for the old one")
	}
	w.Close()
	next, err := Serve(path + ".old")
	if err != nil {
		t.Fatal(err)
	}
	if next.MayWait() {
		t.Error("workers wait for an agent that has ended")
	}
	next.Close()
}
