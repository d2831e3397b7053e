package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gosess/capi/settings"
)

// home is a folder with this test program as gosess, and an empty library beside it.
var home string

func TestMain(m *testing.M) {
	if os.Getenv("GOSESS_TEST_MAIN") != "" {
		os.Unsetenv("GOSESS_TEST_MAIN")
		main()
		os.Exit(0)
	}
	var err error
	if home, err = os.MkdirTemp("", "gosess-cmd-"); err != nil {
		panic(err)
	}
	status := 1
	if err = install(home, "bin", "bin"); err == nil {
		status = m.Run()
	} else {
		fmt.Println(err)
	}
	os.RemoveAll(home)
	os.Exit(status)
}

// install puts the program and an empty library into folders below dir.
func install(dir, bin, lib string) error {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	for _, d := range []string{bin, lib} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, bin, "gosess"), self, 0o755); err != nil {
		return err
	}
	output, err := exec.Command("cc", "-shared", "-o", filepath.Join(dir, lib, library), "-x", "c", "/dev/null").CombinedOutput()
	if err != nil {
		return fmt.Errorf("cc: %w: %s", err, output)
	}
	return nil
}

type result struct {
	status         int
	stdout, stderr string
}

// gosess runs the command below dir with variables set, and no other GOSESS ones.
func gosess(t *testing.T, dir string, variables []string, args ...string) result {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, "bin", "gosess"), args...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GOSESS_") && !strings.HasPrefix(variable, "LD_PRELOAD=") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(append(cmd.Env, "GOSESS_TEST_MAIN=1"), variables...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func TestHelpAndVersion(t *testing.T) {
	for _, name := range []string{"help", "--help", "-h"} {
		if r := gosess(t, home, nil, name); r.status != 0 || r.stderr != "" || r.stdout != usage {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := gosess(t, home, nil, "version"); r.status != 0 || r.stdout != "gosess "+settings.Version+"\n" {
		t.Errorf("version: %+v", r)
	}
}

// Every error is one line on stderr that says what is allowed; stdout stays empty.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("text\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args   []string
		status int
		word   string
	}{
		{nil, 2, "run, check, stats, keygen, version, help"},
		{[]string{"start"}, 2, `"start"`},
		{[]string{"check"}, 2, "one URL"},
		{[]string{"check", "shm:", "shm:"}, 2, "one URL"},
		{[]string{"check", "--loud", "shm:"}, 2, "-loud"},
		{[]string{"check", "redis://h"}, 1, `unknown scheme "redis"; allowed: memory, shm`},
		{[]string{"check", "shm:" + text}, 1, "is not a store of gosess"},
		{[]string{"check", "--keys", dir + "/no", "shm:"}, 1, dir + "/no"},
		{[]string{"keygen", "x"}, 2, "no arguments"},
		{[]string{"stats"}, 2, "one URL, or --pid"},
		{[]string{"stats", "--pid", "1", "shm:/x"}, 2, "one URL, or --pid"},
		{[]string{"stats", "--pid", "one"}, 2, "pid"},
		{[]string{"stats", "shm:"}, 1, "--pid PID"},
		{[]string{"stats", "shm:" + dir + "/no"}, 1, "no such file"},
		{[]string{"stats", "shm:" + dir}, 1, "not a regular file"},
		{[]string{"stats", "shm:" + text}, 1, "not a"},
		{[]string{"stats", "--pid", fmt.Sprint(os.Getpid())}, 1, "no store in memory"},
		{[]string{"run"}, 2, "a program is missing"},
		{[]string{"run", "--"}, 2, "a program is missing"},
		{[]string{"run", "--cache", "shm:?size=0", "--", "true"}, 2, `"0" is out of range`},
		{[]string{"run", "--cache", "shm:" + text, "--", "true"}, 2, "is not a store of gosess"},
		{[]string{"run", "--tickets", "none", "--", "true"}, 2, "keep, stateful"},
		{[]string{"run", "--keys", dir + "/no", "--", "true"}, 2, dir + "/no"},
		{[]string{"run", "--log", "loud", "--", "true"}, 2, "off, error, info, debug"},
		{[]string{"run", "--", "/no/such/program"}, 127, "/no/such/program"},
		{[]string{"run", "--", dir}, 127, dir},
	}
	for _, test := range tests {
		r := gosess(t, home, nil, test.args...)
		if r.status != test.status || r.stdout != "" || !strings.HasPrefix(r.stderr, "gosess: ") ||
			strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, test.word) {
			t.Errorf("%q: %+v, want status %d and %q", test.args, r, test.status, test.word)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	r := gosess(t, home, nil, "check", "shm:"+dir+"/web?size=1m")
	if want := "would make store " + dir + "/web of size 1m\n"; r.status != 0 || r.stdout != want {
		t.Errorf("%+v, want %q", r, want)
	}
	if _, err := os.Lstat(dir + "/web"); err == nil {
		t.Error("check made the store")
	}
	r = gosess(t, home, []string{"GOSESS_KEYS=" + dir + "/no"}, "check", "shm:")
	if r.status != 1 || !strings.Contains(r.stderr, dir+"/no") {
		t.Errorf("GOSESS_KEYS: %+v", r)
	}
}

func TestKeygen(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		r := gosess(t, home, nil, "keygen")
		raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(r.stdout, "\n"))
		if r.status != 0 || err != nil || len(raw) != 32 {
			t.Fatalf("%+v", r)
		}
		seen[r.stdout] = true
		keys := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(keys, []byte(r.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := gosess(t, home, nil, "check", "--keys", keys, "shm:"); r.status != 0 {
			t.Errorf("check --keys: %+v", r)
		}
	}
	if len(seen) != 2 {
		t.Error("twice the same key")
	}
}

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

// header is that of an empty store of a size, made one hour after the epoch.
func header(size uint64) []byte {
	h := make([]byte, 64)
	copy(h, "gosess\r\n")
	binary.LittleEndian.PutUint32(h[8:], 3)
	binary.LittleEndian.PutUint32(h[12:], 64)
	binary.LittleEndian.PutUint64(h[16:], size)
	binary.LittleEndian.PutUint64(h[24:], 3600)
	binary.LittleEndian.PutUint32(h[60:], crc32.ChecksumIEEE(h[:60]))
	return h
}

// counted writes a store with one worker, this process, whose n-th counter is n+1.
func counted(t *testing.T, file *os.File) {
	t.Helper()
	const size = 1 << 20
	content := make([]byte, size)
	copy(content, header(size))
	slot := content[4096:]
	binary.NativeEndian.PutUint64(slot, uint64(os.Getpid()))
	binary.NativeEndian.PutUint64(slot[8:], 7200)
	for i := range 8 {
		binary.NativeEndian.PutUint64(slot[16+8*i:], uint64(i+1))
	}
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
}

func TestStats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o400)
	if err != nil {
		t.Fatal(err)
	}
	counted(t, file)
	file.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	r := gosess(t, home, []string{"TZ=UTC"}, "stats", "--json", "shm:"+path)
	var got report
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.status != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	want := counters{1, 2, 3, 4, 5, 6, 7, 8}
	if got.counters != want || got.Size != 1<<20 || got.Created != 3600 || got.Store != "shm:"+path || got.Entries != 0 {
		t.Errorf("%+v", got)
	}
	if len(got.Workers) != 1 || got.Workers[0] != (worker{os.Getpid(), 7200, true, want}) {
		t.Errorf("workers %+v", got.Workers)
	}

	r = gosess(t, home, []string{"TZ=UTC"}, "stats", "shm:"+path)
	for _, line := range []string{
		"made 1970-01-01 01:00:00, size 1m",
		"entries 0, 0.0 % of the room",
		"worker hits misses stores evictions expiries removals too big errors since",
		"all 1 2 3 4 5 6 7 8 1970-01-01 01:00:00",
		fmt.Sprintf("%d 1 2 3 4 5 6 7 8 1970-01-01 02:00:00", os.Getpid()),
	} {
		if !strings.Contains("\n"+squeeze(r.stdout)+"\n", "\n"+line+"\n") {
			t.Errorf("%q is missing in\n%s", line, r.stdout)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("stats wrote to the store (%v)", err)
	}
}

// squeeze makes one space of several.
func squeeze(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

// holder maps a store in memory as the C half does, until its stdin is closed.
const holder = `#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void)
{
    int fd = memfd_create("gosess", 0);
    if (ftruncate(fd, 1 << 20) != 0 || mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
        return 1;
    printf("%d\n", fd);
    fflush(stdout);
    return getchar() != EOF;
}
`

// A store in memory is found through a process that has it mapped.
func TestStatsOfAProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to open /proc/PID/map_files")
	}
	program := filepath.Join(t.TempDir(), "holder")
	cc := exec.Command("cc", "-D_GNU_SOURCE", "-o", program, "-x", "c", "-")
	cc.Stdin = strings.NewReader(holder)
	if output, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v: %s", err, output)
	}
	cmd := exec.Command(program)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	var fd int
	if _, err := fmt.Fscan(stdout, &fd); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/%d", cmd.Process.Pid, fd), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	counted(t, file)
	file.Close()
	r := gosess(t, home, nil, "stats", "--json", "--pid", fmt.Sprint(cmd.Process.Pid))
	var got report
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.status != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	if (got.counters != counters{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("%+v", got)
	}
}

// The settings package says the same as the C half that it is made of.
func TestSettings(t *testing.T) {
	got, err := settings.Parse("shm:/run/web?size=2m&keys=/etc/k")
	if want := (settings.URL{Path: "/run/web", Keys: "/etc/k", Size: 2 << 20}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if _, err := settings.Parse("shm:web"); err == nil || !strings.Contains(err.Error(), `"web"`) {
		t.Errorf("error %v", err)
	}
	for size, want := range map[uint64]string{64 << 20: "64m", 3 << 30: "3g", 5 << 10: "5k", 1000: "1000", 0: "0"} {
		if got := settings.SizeText(size); got != want {
			t.Errorf("SizeText(%d) is %q", size, got)
		}
	}
	if clock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local).Unix()) != "2026-01-02 03:04:05" {
		t.Error("clock")
	}
}
