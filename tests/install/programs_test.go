package install_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// build compiles an example against the installed copy.
func build(t *testing.T, name string) string {
	t.Helper()
	env := use(t)
	program := filepath.Join(t.TempDir(), name)
	flags := strings.Fields(run(t, "", env, "pkg-config", "--cflags", "--libs", "gosess", "openssl"))
	run(t, filepath.Join(root(t), "examples"), nil, "cc", append([]string{"-Wall", "-Wextra", "-Werror", "-o", program, name + ".c"}, flags...)...)
	return program
}

// The lines of README.md for a server of one's own are a program with what they leave out, and it ends well.
func TestReadme(t *testing.T) {
	_, lines, _ := strings.Cut(read(t, filepath.Join(root(t), "README.md")), "\n## In your own server\n\n")
	lines, _, _ = strings.Cut(lines, "\n\n`make install`")
	include, body, found := strings.Cut(strings.ReplaceAll(lines, "    ", ""), "\n\n")
	if !found || !strings.HasPrefix(include, "#include") {
		t.Fatalf("README.md has %q", lines)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	source := "#include <err.h>\n" + include + "\nint main(void)\n{\n" + body + "\nreturn gosess_start() == GOSESS_OK && gosess_cache_flush(cache) == GOSESS_OK ? 0 : 1;\n}\n"
	if err := os.WriteFile(program+".c", []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	env := use(t)
	flags := strings.Fields(run(t, "", env, "pkg-config", "--cflags", "--libs", "gosess", "openssl"))
	run(t, dir, nil, "cc", append([]string{"-Wall", "-Wextra", "-Werror", "-o", program, program + ".c"}, flags...)...)
	run(t, dir, env, program)
}

func certificate(t *testing.T) harness.Certificate {
	t.Helper()
	authority, err := harness.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue("example.test")
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// example is an example that runs.
type example struct {
	command *exec.Cmd
	port    int
	out     bytes.Buffer // valid when it has ended
	ended   bool
}

// start starts an example on a free port and waits until it listens.
func start(t *testing.T, name, url string, more ...string) *example {
	t.Helper()
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	files := certificate(t)
	e := &example{port: port}
	e.command = exec.Command(build(t, name), append([]string{strconv.Itoa(port), files.Cert, files.Key, url}, more...)...)
	e.command.Env = environment(use(t))
	e.command.Stdout, e.command.Stderr = &e.out, &e.out
	if err := e.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.stop(t, syscall.SIGTERM) })
	address := fmt.Sprintf("127.0.0.1:%d", port)
	err = harness.WaitFor(name+" to listen", func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
		}
		return err == nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stop ends the example and returns how it ended.
func (e *example) stop(t *testing.T, signal syscall.Signal) *os.ProcessState {
	t.Helper()
	if e.ended {
		return e.command.ProcessState
	}
	e.ended = true
	if err := e.command.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	timer := time.AfterFunc(harness.Patience, func() { e.command.Process.Kill() })
	defer timer.Stop()
	e.command.Wait()
	return e.command.ProcessState
}

func resume(t *testing.T, port int, version string, more ...string) harness.Result {
	t.Helper()
	arguments := append([]string{"--tls", version, "--sessions", "50", "--attempts", "500"}, more...)
	result, err := harness.Load(port, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	if result.Resumed != result.Attempts || result.Errors != 0 {
		t.Errorf("TLS %s: %d of %d resumed, %d errors: %s", version, result.Resumed, result.Attempts, result.Errors, result.Said)
	}
	return result
}

var versions = []string{"1.2", "1.3"}

func TestServer(t *testing.T) {
	store := "shm:" + filepath.Join(harness.TempDir(t), "store")
	for name, url := range map[string]string{"memory": "shm:?size=4m", "file": store + "?size=4m"} {
		t.Run(name, func(t *testing.T) {
			server := start(t, "server", url, "2")
			resumed := 0
			for _, version := range versions {
				result := resume(t, server.port, version)
				resumed += result.Resumed
				if result.Workers != 2 {
					t.Errorf("TLS %s: %d workers answered", version, result.Workers)
				}
			}
			if name == "file" {
				counted(t, store, resumed)
			}
			stopped(t, server)
		})
	}
}

// counted fails the test where it was not the cache that resumed.
func counted(t *testing.T, url string, resumed int) {
	t.Helper()
	if stats, err := harness.ReadStats(url); err != nil || int(stats[sessioncache.Hits]) != resumed {
		t.Errorf("%d resumed, the store counted %+v (%v)", resumed, stats, err)
	}
}

// stopped stops the server and fails the test where its workers were not as they should be.
func stopped(t *testing.T, server *example) {
	t.Helper()
	process := harness.FindProcess(server.command.Process.Pid)
	workers := process.Children()
	if len(workers) != 2 || process.Maps("libgosess-core.so") {
		t.Errorf("%d workers; whether the parent has loaded the Go half: %v", len(workers), process.Maps("libgosess-core.so"))
	}
	for _, worker := range workers {
		if os.Getuid() == 0 && owner(t, worker) == 0 {
			t.Error("a worker is root")
		}
	}
	if state := server.stop(t, syscall.SIGTERM); !state.Success() {
		t.Errorf("it ended with %v", state)
	}
	for _, worker := range workers {
		if worker.Alive() {
			t.Errorf("worker %d is left", worker.PID)
		}
	}
	if said := server.out.String(); said != "" {
		t.Errorf("it said %s", said)
	}
}

func owner(t *testing.T, process harness.Process) int {
	t.Helper()
	for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/status", process.PID))) {
		if fields := strings.Fields(line); fields[0] == "Uid:" {
			uid, err := strconv.Atoi(fields[2]) // the effective one
			if err != nil {
				t.Fatal(err)
			}
			return uid
		}
	}
	t.Fatal("a process without an owner")
	return 0
}

func TestServerBadURL(t *testing.T) {
	files := certificate(t)
	command := exec.Command(build(t, "server"), "0", files.Cert, files.Key, "shm:?sise=64m")
	command.Env = environment(use(t))
	output, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(output), `unknown option "sise"`) {
		t.Errorf("%v: %s", err, output)
	}
}

func TestCallbacks(t *testing.T) {
	for _, url := range []string{"memory:", "shm:?size=1m"} {
		t.Run(url, func(t *testing.T) {
			server := start(t, "callbacks", url)
			for _, version := range versions {
				resume(t, server.port, version, "--threads", "1")
			}
			server.stop(t, syscall.SIGKILL)
			lines := strings.Split(server.out.String(), "\n")
			found := 0
			for _, line := range lines {
				if line == "get: found" {
					found++
				}
			}
			if found != 1000 {
				t.Errorf("%d of 1000 lookups found their session", found)
			}
		})
	}
}

func TestExamplesAreShort(t *testing.T) {
	for name, limit := range map[string]int{"server.c": 150, "callbacks.c": 120} {
		if lines := strings.Count(read(t, filepath.Join(root(t), "examples", name)), "\n"); lines >= limit {
			t.Errorf("%s has %d lines", name, lines)
		}
	}
}

// Two Go runtimes are in this process: that of the program and that of gosess.
func TestProgramInGo(t *testing.T) {
	env := use(t)
	program := filepath.Join(t.TempDir(), "cgo")
	// Go's build cache does not look at what pkg-config says, but at this.
	fresh := append([]string{"CGO_LDFLAGS=-L" + installed.dir}, env...)
	run(t, filepath.Join(root(t), "tests/install/cgo"), fresh, "go", "build", "-buildvcs=false", "-o", program, ".")
	files := certificate(t)
	for _, url := range []string{"memory:", "shm:?size=1m"} {
		t.Run(url, func(t *testing.T) {
			got := run(t, "", env, program, files.Cert, files.Key, url)
			want := `TLS 1.2: 8 full, 152 resumed, 0 failed
TLS 1.3: 8 full, 152 resumed, 0 failed
statistics: 304 hits, 0 errors
ended threads: 8 full, 152 resumed, 0 failed
nil dereference: runtime error: invalid memory address or nil pointer dereference
signal: user defined signal 1
child: born
`
			if got != want {
				t.Errorf("it prints\n%swanted\n%s", got, want)
			}
		})
	}
}
