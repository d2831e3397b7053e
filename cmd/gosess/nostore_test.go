package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache/shm"
)

// endless is for how long a command may run that has nothing to wait for: far longer than any takes.
const endless = time.Minute

// bounded runs the command, as another user where uid is not 0, and wants it to end by itself.
func bounded(t *testing.T, uid uint32, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), endless)
	defer cancel()
	line := invocation(home, nil, args...)
	cmd := exec.CommandContext(ctx, line.Path, args...)
	cmd.Env = line.Env
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil || err == nil && cmd.ProcessState == nil {
		t.Fatalf("%q does not end: %v", args, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// ofStores are the commands that look into a store that is there.
var ofStores = [][]string{
	{"stats"}, {"stats", "--json"}, {"stats", "--prometheus"}, {"stats", "--watch", "1s"}, {"stats", "--watch", "1s", "--json"},
	{"ls"}, {"ls", "--json"}, {"ls", "--context", "a.example"}, {"flush"}, {"flush", "--json", "--older", "1h"},
	{"keys", "export", "--for", "nginx", "--to", "/nowhere/at/all"},
}

// What is no store that can be used is told in one line, is not changed, and keeps nobody waiting.
func TestWhatIsNoStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := make([]byte, 1<<20)
	copy(good, header(1<<20))
	version, sum := append([]byte(nil), good...), append([]byte(nil), good...)
	version[shm.VersionAt]++
	sum[shm.SumAt]++
	files := map[string][]byte{
		"empty": nil, "foreign": make([]byte, 1<<20), "text": []byte("text"), "stale": version, "damaged": sum, "cut": good[:4096],
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	must(os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	must(os.Symlink("loop", filepath.Join(dir, "loop")))
	names := []string{"fifo", "folder", "loop", "missing"}
	for name := range files {
		names = append(names, name)
	}
	for _, name := range names {
		for _, command := range ofStores {
			path := filepath.Join(dir, name)
			r := bounded(t, 0, append(append([]string(nil), command...), "shm:"+path)...)
			if r.status != 1 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, path) {
				t.Errorf("%s %s: %+v", command, name, r)
			}
		}
	}
	for name, content := range files {
		if after, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(after) != string(content) {
			t.Errorf("%s has been changed (%v)", name, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != len(files)+3 {
		t.Errorf("there is something new: %v", left)
	}
}

// Nor is one that cannot be read, or is not named so that it could be found.
func TestStoresOutOfReach(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root becomes another user")
	}
	path, _ := filled(t)
	for _, folder := range []string{home, filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range ofStores {
		r := bounded(t, 65534, append(append([]string(nil), command...), "shm:"+path)...)
		if r.status != 1 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "permission denied") {
			t.Errorf("%s of another's store: %+v", command, r)
		}
		r = bounded(t, 0, append(append([]string(nil), command...), "shm:"+path, "shm:"+path)...)
		if r.status != 2 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s of two: %+v", command, r)
		}
		for _, url := range []string{"memory:", "shm:", "redis://h"} {
			r = bounded(t, 0, append(append([]string(nil), command...), url)...)
			if r.status != 1 && r.status != 2 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("%s %s: %+v", command, url, r)
			}
		}
		if command[0] == "keys" {
			continue
		}
		for _, pid := range []int{1 << 30, os.Getpid()} { // no process, and one without a store in memory
			r = bounded(t, 0, append(append([]string(nil), command...), "--pid", fmt.Sprint(pid))...)
			if r.status != 1 || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("%s of process %d: %+v", command, pid, r)
			}
		}
	}
}

// Whoever has the right to read everybody's files, and no other, sees what a store counts and which of its processes live: so the unit of
// docs/monitoring runs gosess serve.
func TestReadsWithOneRight(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root becomes another user")
	}
	const canReadAll = 2 // CAP_DAC_READ_SEARCH, capabilities(7)
	file, err := os.OpenFile(filepath.Join(t.TempDir(), "web"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	counted(t, file)
	file.Close()
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	line := invocation(home, nil, "stats", "--json", "shm:"+file.Name())
	line.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: []uintptr{canReadAll}}
	said, err := line.CombinedOutput()
	if err != nil || !strings.Contains(string(said), fmt.Sprintf(`"pid": %d,`, os.Getpid())) || !strings.Contains(string(said), `"live": true,`) {
		t.Errorf("%v: %s", err, said)
	}
}

// A store that is larger than any memory is not looked through to say what it holds: of a file that is nearly all holes, as anybody may
// make one, that would take the machine's memory, and an hour.
func TestStoreIsLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "web")
	const size = 16 << 30
	if err := errors.Join(os.WriteFile(path, header(size), 0o600), os.Truncate(path, size)); err != nil {
		t.Fatal(err)
	}
	line := invocation(home, nil, "stats", "shm:"+path)
	ctx, cancel := context.WithTimeout(t.Context(), endless)
	defer cancel()
	cmd := exec.CommandContext(ctx, line.Path, line.Args[1:]...)
	cmd.Env = line.Env
	said, err := cmd.CombinedOutput()
	if ctx.Err() != nil || err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if used := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; used > 512<<10 || !strings.Contains(string(said), "size 16g") {
		t.Errorf("%d MiB of memory: %s", used>>10, said)
	}
}

// watched starts stats --watch of a store, and returns when it has shown something.
func watched(t *testing.T, path string, how ...string) (cmd *exec.Cmd, shown *bufio.Reader, stderr *bytes.Buffer, ctx context.Context) {
	t.Helper()
	line := invocation(home, nil, append([]string{"stats", "--watch", "100ms", "shm:" + path}, how...)...)
	ctx, cancel := context.WithTimeout(t.Context(), endless)
	t.Cleanup(cancel)
	cmd = exec.CommandContext(ctx, line.Path, line.Args[1:]...)
	cmd.Env, stderr = line.Env, &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	shown = bufio.NewReader(stdout)
	if _, err := shown.ReadByte(); err != nil {
		t.Fatal(err)
	}
	return cmd, shown, stderr, ctx
}

// A store that is cut short while somebody looks at it ends the look, with one line.
func TestStoreIsCutWhileWatched(t *testing.T) {
	t.Parallel()
	for _, how := range [][]string{{}, {"--json"}} {
		path := filepath.Join(t.TempDir(), "web")
		if err := os.WriteFile(path, append(header(1<<20), make([]byte, 1<<20-64)...), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd, shown, stderr, ctx := watched(t, path, how...)
		go io.Copy(io.Discard, shown)
		if err := os.Truncate(path, 4096); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		if ctx.Err() != nil || cmd.ProcessState.ExitCode() != 1 || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "cut short") {
			t.Errorf("%q: %v: %s", how, cmd.ProcessState, stderr.String())
		}
	}
}

// Whoever watches a store sees the one that is put in its place, after a while in which there is none.
func TestStoreIsReplacedWhileWatched(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		how      []string
		sessions string
	}{{nil, "] %d sessions"}, {[]string{"--json"}, `"entries":%d`}} {
		path, _ := filled(t)
		cmd, shown, stderr, _ := watched(t, path, c.how...)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		see := func(sessions int) {
			t.Helper()
			want := fmt.Sprintf(c.sessions, sessions)
			for {
				line, err := shown.ReadString('\n')
				if err != nil {
					t.Fatalf("%q: no %q: %v %s", c.how, want, err, stderr)
				}
				if strings.Contains(line, want) {
					return
				}
			}
		}
		for range 3 { // it goes on
			see(4)
		}
		if err := os.WriteFile(path, append(header(1<<20), make([]byte, 1<<20-64)...), 0o600); err != nil {
			t.Fatal(err)
		}
		see(0)
		cmd.Process.Kill()
		cmd.Wait()
	}
}
