package regular

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no file is neither waited for nor read nor replaced, and a link that leads to one stays a link.
func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(syscall.Mkfifo(at("pipe"), 0o600))
	must(os.Mkdir(at("folder"), 0o700))
	must(os.Symlink("pipe", at("to a pipe")))
	must(os.Symlink("nowhere", at("dangling")))
	must(os.Symlink("loop", at("loop")))
	for _, name := range []string{"pipe", "folder", "to a pipe", "dangling", "loop"} {
		if _, err := Open(at(name), os.O_RDONLY); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: opened: %v", name, err)
		}
		before, err := os.Lstat(at(name))
		must(err)
		if err := Replace(at(name), []byte("text")); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: replaced: %v", name, err)
		}
		if after, err := os.Lstat(at(name)); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s is not there any more: %v", name, err)
		}
	}
	for _, text := range []string{"one", "two"} {
		must(Replace(at("file"), []byte(text)))
		if text == "one" {
			must(errors.Join(os.Symlink("file", at("link")), os.Chmod(at("file"), 0o644)))
			continue
		}
		must(Replace(at("link"), []byte("three")))
		if target, err := os.Readlink(at("link")); err != nil || target != "file" {
			t.Errorf("the link is %q: %v", target, err)
		}
	}
	info, err := os.Stat(at("file"))
	must(err)
	if held, err := os.ReadFile(at("file")); err != nil || string(held) != "three" || info.Mode() != 0o600 {
		t.Errorf("%q %v %v", held, info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 7 {
		t.Errorf("there is something new: %v", left)
	}
}
