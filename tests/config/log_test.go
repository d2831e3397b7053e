package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	logLine   = regexp.MustCompile(`(?m)^gosess: \[\d+\] (.*)\n`)
	datedLine = regexp.MustCompile(`(?m)^(\S+) (gosess: \[)`)
)

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

// linesOfFile does the same with a file, whose lines begin with a date between these two.
func linesOfFile(t *testing.T, path string, since, until time.Time) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dated := datedLine.FindAllStringSubmatch(string(text), -1)
	for _, match := range dated {
		at, err := time.Parse(time.RFC3339, match[1])
		if err != nil || at.Before(since.Truncate(time.Second)) || at.After(until) {
			t.Errorf("a line of %q, between %v and %v: %v", match[1], since, until, err)
		}
	}
	texts := lines(t, datedLine.ReplaceAllString(string(text), "$2"))
	if len(dated) != len(texts) {
		t.Errorf("%d of %d lines have a date: %q", len(dated), len(texts), text)
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
	since := time.Now()
	for range 2 {
		a := good(t, "log", "error:"+path, "2", "trouble")
		if a.stderr != "" {
			t.Errorf("stderr has %q", a.stderr)
		}
	}
	if got := linesOfFile(t, path, since, time.Now()); len(got) != 6 {
		t.Errorf("%q, want 6 lines: the second run appends", got)
	}
}

// Where stderr is a file, as after a server has taken it to its error log, its lines have a date too.
func TestLogOnStderrThatIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var stdout bytes.Buffer
	since := time.Now()
	cmd := command(nil, "log", "", "1", "trouble")
	cmd.Stdout, cmd.Stderr = &stdout, file
	err = cmd.Run()
	finish(t, stdout.String(), "", err)
	if got := linesOfFile(t, path, since, time.Now()); len(got) != 3 {
		t.Errorf("%q, want 3 lines", got)
	}
}

// A date is what package time makes of the seconds, over leap years and the ends of months, years and centuries.
func TestLogDates(t *testing.T) {
	var seconds, want []string
	add := func(at time.Time) {
		seconds = append(seconds, strconv.FormatInt(at.Unix(), 10))
		want = append(want, at.UTC().Format("2006-01-02T15:04:05Z"))
	}
	for _, year := range []int{1970, 1971, 1972, 1999, 2000, 2024, 2026, 2027, 2038, 2099, 2100, 2101, 2399, 2400, 9999} {
		for month := time.January; month <= time.December; month++ {
			for _, day := range []int{1, 28, 29, 30, 31} {
				add(time.Date(year, month, day, day%24, 2*day%60, 59, 0, time.UTC))
			}
		}
	}
	seconds, want = append(seconds, "-1", "999999999999999"), append(want, "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
	if a := good(t, append([]string{"dates"}, seconds...)...); !slices.Equal(strings.Fields(a.text), want) {
		for i, got := range strings.Fields(a.text) {
			if got != want[i] {
				t.Errorf("%s is %s, want %s", seconds[i], got, want[i])
			}
		}
	}
}

// What is said once is said by one process, and is some hundred lines at the most.
func TestLogOnce(t *testing.T) {
	a := good(t, "once", "info")
	got := lines(t, a.stderr)
	if distinct := slices.Compact(slices.Sorted(slices.Values(got))); len(got) != 256 || len(distinct) != len(got) || slices.Contains(got, "again") {
		t.Errorf("%d lines, %d of them different", len(got), len(distinct))
	}
	if a.text != "errno kept" {
		t.Error(a.text)
	}
	if a := good(t, "once", "error"); a.stderr != "" {
		t.Errorf("said at error: %q", a.stderr)
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
	since := time.Now()
	err := cmd.Run()
	finish(t, stdout.String(), "", err)
	if got := linesOfFile(t, path, since, time.Now()); len(got) != 3 {
		t.Errorf("%q, want 3 lines", got)
	}
}
