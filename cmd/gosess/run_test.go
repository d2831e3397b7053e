package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// shown is what a program that run became sees of its environment.
const show = `echo "$LD_PRELOAD|$GOSESS_CACHE|$GOSESS_TICKETS|$GOSESS_KEYS|$GOSESS_LOG|$1"`

func TestRun(t *testing.T) {
	beside := filepath.Join(home, "bin", library)
	keys := filepath.Join(t.TempDir(), "keys")
	key := gosess(t, home, nil, "keygen").stdout
	if err := os.WriteFile(keys, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		variables []string
		options   []string
		want      string
	}{
		{"defaults", nil, nil, "shm:|keep|||an argument"},
		{"options", nil,
			[]string{"--cache", "shm:?size=2m", "--tickets", "stateful", "--keys", keys, "--log", "info"},
			"shm:?size=2m|stateful|" + keys + "|info|an argument"},
		{"variables", []string{"GOSESS_CACHE=shm:?size=3m", "GOSESS_TICKETS=stateful", "GOSESS_LOG=off"}, nil,
			"shm:?size=3m|stateful||off|an argument"},
		{"options win", []string{"GOSESS_CACHE=shm:?size=3m"}, []string{"--cache", "shm:"}, "shm:|keep|||an argument"},
	}
	for _, test := range tests {
		args := append(append([]string{"run"}, test.options...), "--", "sh", "-c", show, "sh", "an argument")
		r := gosess(t, home, test.variables, args...)
		if want := beside + "|" + test.want + "\n"; r.status != 0 || r.stdout != want || r.stderr != "" {
			t.Errorf("%s: %+v, want %q", test.name, r, want)
		}
	}
}

// Where gosess is of no use run says so in one line, by the program's name wherever it lies, and runs it all the same.
func TestRunWarns(t *testing.T) {
	dir := t.TempDir()
	for name, said := range map[string]string{"postgres": "gosess: postgres gains nothing: " + noMore + "\n", "nginx": ""} {
		program := filepath.Join(dir, name)
		if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$GOSESS_CACHE\"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		r := gosess(t, home, nil, "run", "--cache", "shm:?size=1m", "--", program)
		if r.status != 0 || r.stdout != "shm:?size=1m\n" || r.stderr != said {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The page lists the programs that run warns of, and those only, with the reasons that it gives.
func TestPageOfWarnings(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "servers", "not-with.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*`) \\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		for _, name := range strings.Split(row[1], ", ") {
			listed[strings.Trim(name, "`")] = row[2]
		}
	}
	if !maps.Equal(listed, notWith) {
		t.Errorf("the page says\n%v\nand run\n%v", listed, notWith)
	}
}

func TestRunBecomesTheProgram(t *testing.T) {
	cmd := exec.Command(filepath.Join(home, "bin", "gosess"), "run", "--", "sh", "-c", "echo $$; exit 7")
	cmd.Env = append(os.Environ(), "GOSESS_TEST_MAIN=1")
	output, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("status: %v", err)
	}
	if got := strings.TrimSpace(string(output)); got != fmt.Sprint(cmd.Process.Pid) {
		t.Errorf("the program is process %s, the command was %d", got, cmd.Process.Pid)
	}
}

func TestRunKeepsWhatIsPreloaded(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.so")
	if output, err := exec.Command("cc", "-shared", "-o", other, "-x", "c", "/dev/null").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	r := gosess(t, home, []string{"LD_PRELOAD=" + other}, "run", "--", "sh", "-c", show)
	if want := filepath.Join(home, "bin", library) + ":" + other + "|"; !strings.HasPrefix(r.stdout, want) {
		t.Errorf("%+v, want %q", r, want)
	}
}

func TestRunFindsTheLibrary(t *testing.T) {
	for _, lib := range []string{"lib", "lib/x86_64-linux-gnu", "lib64"} {
		dir := t.TempDir()
		if err := install(dir, "bin", lib); err != nil {
			t.Fatal(err)
		}
		r := gosess(t, dir, nil, "run", "--", "sh", "-c", show)
		if want := filepath.Join(dir, lib, library) + "|"; !strings.HasPrefix(r.stdout, want) {
			t.Errorf("%+v, want %q", r, want)
		}
	}
	dir := t.TempDir()
	if err := install(dir, "bin", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	if r := gosess(t, dir, nil, "run", "--", "true"); r.status != 1 || !strings.Contains(r.stderr, library) {
		t.Errorf("without a library: %+v", r)
	}
	dir = filepath.Join(t.TempDir(), "with space")
	if err := install(dir, "bin", "bin"); err != nil {
		t.Fatal(err)
	}
	if r := gosess(t, dir, nil, "run", "--", "true"); r.status != 1 || !strings.Contains(r.stderr, "space") {
		t.Errorf("in a folder with a space: %+v", r)
	}
}

// A server finds out at its first handshake that half of the library is missing; run says it before.
func TestRunWithoutTheCore(t *testing.T) {
	dir := t.TempDir()
	if err := install(dir, "bin", "lib"); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "lib", core)
	away, pipe := filepath.Join(dir, core), filepath.Join(dir, "pipe")
	if err := errors.Join(os.Rename(there, away), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		variables []string
		status    int
		said      string
	}{
		{nil, 1, "gosess: the Go half of the library is missing: open " + there},
		{[]string{"GOSESS_CORE=" + there}, 1, "gosess: the Go half of the library is missing: open " + there},
		{[]string{"GOSESS_CORE=" + core}, 2, "an absolute path"},
		{[]string{"GOSESS_CORE=" + pipe}, 1, pipe + ": not a regular file"},
		{[]string{"GOSESS_CORE=" + away}, 0, ""},
	} {
		r := gosess(t, dir, test.variables, "run", "--", "true")
		if r.status != test.status || !strings.Contains(r.stderr, test.said) || test.status == 0 && r.stderr != "" {
			t.Errorf("%q: %+v, want status %d and %q", test.variables, r, test.status, test.said)
		}
	}
	// What make install leaves as a link may lead nowhere.
	if err := os.Rename(filepath.Join(dir, "lib", library), filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("libgosess.so.0.1", filepath.Join(dir, "lib", library)); err != nil {
		t.Fatal(err)
	}
	if r := gosess(t, dir, nil, "run", "--", "true"); r.status != 1 || !strings.Contains(r.stderr, library) {
		t.Errorf("a link that leads nowhere: %+v", r)
	}
}
