// Package config_test tests the configuration part of the C half through testdata/driver.c, which is
// compiled with AddressSanitizer and UndefinedBehaviorSanitizer and started anew for every
// call.
package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

var driver string

// parts are the files of shim/ that the driver is made of.
var parts = []string{"base/files", "base/io", "base/locks", "base/log", "base/text", "config/aside", "config/check", "config/dryrun", "config/header", "config/keys",
	"config/store", "config/url"}

// wrapped are the functions of libc that driver.c counts.
var wrapped = []string{"ftruncate", "fchmod", "pwrite", "fsync", "link", "rename", "posix_fallocate", "clock_gettime"}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "gosess-config-")
	if err != nil {
		panic(err)
	}
	driver = filepath.Join(dir, "driver")
	args := []string{"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "tests/config/testdata/driver.c"}
	for _, part := range parts {
		args = append(args, "shim/"+part+".c")
	}
	for _, name := range wrapped {
		args = append(args, "-Wl,--wrap="+name)
	}
	if err := harness.Compile(driver, "cc", args...); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// Another user must be able to run it.
	if err := os.Chmod(dir, 0o755); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// An answer is what the driver printed: "ok TEXT" or "error TEXT", and its stderr.
type answer struct {
	ok     bool
	text   string
	stderr string
}

// field finds NAME=VALUE in an answer.
func (a answer) field(t *testing.T, name string) string {
	t.Helper()
	for word := range strings.FieldsSeq(a.text) {
		if value, found := strings.CutPrefix(word, name+"="); found {
			return value
		}
	}
	t.Fatalf("no %s in %q", name, a.text)
	return ""
}

func command(environment []string, args ...string) *exec.Cmd {
	cmd := exec.Command(driver, args...)
	cmd.Env = append(os.Environ(), environment...)
	return cmd
}

// finish makes an answer of a command that has ended. Anything but its own two exit
// statuses, like a signal or a report of a sanitizer, fails the test.
func finish(t *testing.T, stdout, stderr string, err error) answer {
	t.Helper()
	a := answer{stderr: stderr}
	stdout = strings.TrimSuffix(stdout, "\n")
	var isError bool
	if a.text, a.ok = strings.CutPrefix(stdout, "ok "); !a.ok {
		a.text, isError = strings.CutPrefix(stdout, "error ")
	}
	var exit *exec.ExitError
	failed := errors.As(err, &exit) && exit.ExitCode() == 1
	if (a.ok && err == nil) || (isError && failed) {
		return a
	}
	t.Fatalf("the driver: %v, stdout %q, stderr:\n%s", err, stdout, stderr)
	return a
}

func drive(t *testing.T, environment []string, args ...string) answer {
	t.Helper()
	cmd := command(environment, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	return finish(t, stdout.String(), stderr.String(), err)
}

// good drives and fails the test on an error.
func good(t *testing.T, args ...string) answer {
	t.Helper()
	a := drive(t, nil, args...)
	if !a.ok {
		t.Fatalf("%q: error %s", args, a.text)
	}
	return a
}

// bad drives, and wants an error with all these words.
func bad(t *testing.T, words []string, environment []string, args ...string) {
	t.Helper()
	a := drive(t, environment, args...)
	if a.ok {
		t.Fatalf("%q: no error but %s", args, a.text)
	}
	for _, word := range words {
		if !strings.Contains(a.text, word) {
			t.Errorf("%q: %q is missing in: %s", args, word, a.text)
		}
	}
}

// names lists a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	result := []string{}
	for _, e := range entries {
		result = append(result, e.Name())
	}
	return result
}
