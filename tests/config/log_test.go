package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var logLine = regexp.MustCompile(`(?m)^gosess: \[\d+\] (.*)\n`)

// lines takes the texts out of a log, and fails the test where anything else is in it.
func lines(t *testing.T, log string) []string {
	t.Helper()
	texts := []string{}
	for _, match := range logLine.FindAllStringSubmatch(log, -1) {
		texts = append(texts, match[1])
	}
	if rest := logLine.ReplaceAllString(log, ""); rest != "" {
		t.Errorf("not a line of the log: %q", rest)
	}
	return texts
}

// Ten processes log a hundred times each: one line, and a minute later one that counts.
func TestLogLimit(t *testing.T) {
	a := good(t, "log", "", "10", "trouble")
	want := []string{"trouble", "the core: No space left on device", "trouble (999 more were suppressed)"}
	if got := lines(t, a.stderr); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if a.text != "errno kept" {
		t.Error(a.text)
	}
}

func TestLogLevels(t *testing.T) {
	tests := []struct{ level, want string }{
		{"off", ""},
		{"error", "the core: No space left on device|x"},
		{"info", "the core: No space left on device|info|x"},
		{"debug", "the core: No space left on device|info|debug|x"},
	}
	for _, test := range tests {
		a := good(t, "log", test.level, "0", "x")
		if got := strings.Join(lines(t, a.stderr), "|"); got != test.want {
			t.Errorf("%s: %q, want %q", test.level, got, test.want)
		}
	}
}

func TestLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for range 2 {
		a := good(t, "log", "error:"+path, "2", "trouble")
		if a.stderr != "" {
			t.Errorf("stderr has %q", a.stderr)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(lines(t, string(text))); got != 6 {
		t.Errorf("%d lines in %q, want 6: the second run appends", got, text)
	}
}

func TestLogErrors(t *testing.T) {
	dir := t.TempDir()
	bad(t, []string{"GOSESS_LOG", `"loud"`, "allowed: off, error, info, debug"}, nil, "log", "loud", "0")
	bad(t, []string{"GOSESS_LOG", `""`, "allowed: "}, nil, "log", ":"+dir+"/x", "0")
	bad(t, []string{"GOSESS_LOG", `"relative"`, "allowed: an absolute path"}, nil, "log", "info:relative", "0")
	bad(t, []string{"GOSESS_LOG", dir, "Is a directory"}, nil, "log", "info:"+dir, "0")
	bad(t, []string{"GOSESS_LOG", "/no/such", "No such file"}, nil, "log", "info:/no/such", "0")
}

// A file name from outside cannot forge a line of its own, nor a long one break the form.
func TestLogText(t *testing.T) {
	a := good(t, "log", "", "1", "one\ngosess: [1] two\x1b[31m")
	if got := lines(t, a.stderr)[0]; got != "one?gosess: [1] two?[31m" {
		t.Errorf("%q", got)
	}
	a = good(t, "log", "", "1", strings.Repeat("x", 5000))
	for _, line := range lines(t, a.stderr) {
		if len(line) > 1024 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

// Neither a reader that went away nor a file that may not grow ends the host.
func TestLogSurvivesSignals(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	var stdout bytes.Buffer
	cmd := command(nil, "log", "", "2", "trouble")
	cmd.Stdout, cmd.Stderr = &stdout, writer
	err = cmd.Run()
	writer.Close()
	finish(t, stdout.String(), "", err)

	path := filepath.Join(t.TempDir(), "log")
	if a := drive(t, []string{"DRIVER_FSIZE=20"}, "log", "error:"+path, "2", "trouble"); !a.ok {
		t.Error(a.text)
	}
}

// Where the host was started without stderr, the log does not get its number: what the host
// writes there stays out of it.
func TestLogWithoutStderr(t *testing.T) {
	var stdout bytes.Buffer
	path := filepath.Join(t.TempDir(), "log")
	cmd := command([]string{"DRIVER_HOST=1"})
	cmd.Path = "/bin/sh"
	cmd.Args = []string{"sh", "-c", `exec "$0" log "$1" 2 trouble 2>&-`, driver, "error:" + path}
	cmd.Stdout = &stdout
	err := cmd.Run()
	finish(t, stdout.String(), "", err)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(lines(t, string(text))); got != 3 {
		t.Errorf("%d lines in %q, want 3", got, text)
	}
}
