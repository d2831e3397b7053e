package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/agent/internal/testredis"
	"gosess/agent/internal/teststore"
	"gosess/sessioncache/shm"
)

// An agent is a process of the program that was built.
type agent struct {
	t       testing.TB
	cmd     *exec.Cmd
	said    testredis.Output
	notify  *net.UnixConn
	heard   testredis.Output
	ended   chan error
	address string
}

// built is the agent that make has built.
func built(t testing.TB) (program string) {
	t.Helper()
	program, err := filepath.Abs("../build/gosess-agent")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("make agent has not been run")
	}
	return program
}

// begin starts one under a service manager, which the test plays.
func begin(t testing.TB, arguments ...string) *agent {
	t.Helper()
	program := built(t)
	var err error
	a := &agent{t: t, address: filepath.Join(t.TempDir(), "notify"), ended: make(chan error, 1)}
	a.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: a.address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	// The agent is somebody else when it says that it is ready.
	for folder := a.address; folder != os.TempDir() && folder != "/"; folder = filepath.Dir(folder) {
		os.Chmod(folder, 0o777)
	}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := a.notify.Read(buffer)
			if err != nil {
				return
			}
			fmt.Fprintf(&a.heard, "%s\n", buffer[:n])
		}
	}()
	watchdog := "300000"
	if _, measured := t.(*testing.B); measured {
		watchdog = "5000000" // as in docs/fleet.md
	}
	a.cmd = exec.Command(program, arguments...)
	a.cmd.Stderr = &a.said
	a.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+a.address, "WATCHDOG_USEC="+watchdog, "JOURNAL_STREAM=8:1")
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { a.ended <- a.cmd.Wait() }()
	t.Cleanup(func() {
		a.cmd.Process.Kill()
		a.notify.Close()
		if t.Failed() {
			t.Logf("an agent said: %s and told: %s", a.said.String(), a.heard.String())
		}
	})
	return a
}

func (a *agent) hears(text string) {
	a.t.Helper()
	testredis.WaitFor(a.t, text+" at the manager", a.heard.Has(text))
}

// ends wants it to end with a status.
func (a *agent) ends(status int) {
	a.t.Helper()
	select {
	case <-a.ended:
		if got := a.cmd.ProcessState.ExitCode(); got != status {
			a.t.Errorf("it ended with %d, not %d", got, status)
		}
	case <-time.After(testredis.Patience):
		a.t.Error("it does not end")
	}
}

func privateStore(t testing.TB) (folder, path string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "private")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder, filepath.Join(folder, "store")
}

func TestLife(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("it becomes its user where root starts it")
	}
	redis := testredis.Start(t, "--requirepass", "geheim")
	redis.Password = "geheim"
	folder, path := privateStore(t)
	password := filepath.Join(folder, "password")
	if err := os.WriteFile(password, []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"--store", "shm:" + path + "?fleet", "--far", redis.URL() + "?password=" + password}
	a := begin(t, arguments...)
	a.hears("STATUS=waiting for " + path)
	teststore.Make(t, path)
	a.hears("STATUS=serving " + path)
	a.hears("WATCHDOG=1")
	testredis.WaitFor(t, "a connection", a.said.Has("connected to redis://"))
	for line := range strings.Lines(a.said.String()) {
		if !strings.HasPrefix(line, "<5>gosess-agent: ") {
			t.Errorf("a line for the journal: %q", line)
		}
	}
	proc := fmt.Sprintf("/proc/%d", a.cmd.Process.Pid)
	tasks, err := filepath.Glob(proc + "/task/*/status")
	if err != nil || len(tasks) < 4 {
		t.Errorf("tasks: %v, %v", tasks, err)
	}
	for _, task := range append(tasks, proc+"/status") {
		status, err := os.ReadFile(task)
		if err == nil && (!strings.Contains(string(status), "Uid:\t65534\t65534\t65534\t65534") || !strings.Contains(string(status), "CapEff:\t0000000000000000")) {
			t.Errorf("a thread of somebody else: %s", status)
		}
	}
	if limits, err := os.ReadFile(proc + "/limits"); err != nil || !strings.Contains(string(limits), "Max core file size        0                    0 ") {
		t.Errorf("it could leave a core dump: %s, %v", limits, err)
	}
	for _, file := range []string{"cmdline", "environ"} {
		if text, err := os.ReadFile(proc + "/" + file); err != nil || bytes.Contains(text, []byte("geheim")) {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
	if status, err := os.ReadFile(proc + "/status"); err == nil {
		var kib int
		_, after, _ := strings.Cut(string(status), "VmRSS:")
		if _, err := fmt.Sscan(after, &kib); err != nil || kib > 20<<10 {
			t.Errorf("it has %d KiB, %v", kib, err)
		}
		t.Logf("it has %d KiB and %d threads", kib, len(tasks))
	}
	second := begin(t, arguments...)
	second.ends(1)
	if !second.said.Has("another agent serves this store")() {
		t.Errorf("the second one said %s", second.said.String())
	}
	// It needs no file any more: not the password, at a new connection.
	os.Remove(password)
	redis.Kill()
	redis.Run()
	testredis.WaitFor(t, "another connection", func() bool {
		return strings.Contains(redis.CLI("CLIENT", "LIST"), "name=gosess-agent")
	})
	a.cmd.Process.Signal(syscall.SIGTERM)
	a.ends(0)
	a.hears("STOPPING=1")
}

func TestReplacedStore(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	_, path := privateStore(t)
	teststore.Make(t, path)
	a := begin(t, "--store", "shm:"+path, "--far", redis.URL())
	a.hears("STATUS=serving")
	teststore.Make(t, path)
	a.ends(1)
	if !a.said.Has("the store was replaced")() {
		t.Errorf("it said %s", a.said.String())
	}
	begin(t, "--store", "shm:"+path, "--far", redis.URL()).hears("STATUS=serving")
}

// TestStoresToCome waits where servers make another store when they are started: it does not end and begin all the time.
func TestStoresToCome(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	for name, change := range map[string]func(file []byte) []byte{
		"an empty file":          func([]byte) []byte { return nil },
		"another format version": func(file []byte) []byte { file[shm.VersionAt]++; return file },
		"damaged":                func(file []byte) []byte { file[shm.SumAt]++; return file },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, path := privateStore(t)
			teststore.Make(t, path)
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(file), 0o600); err != nil {
				t.Fatal(err)
			}
			a := begin(t, "--store", "shm:"+path, "--far", redis.URL())
			a.hears("STATUS=waiting")
			testredis.WaitFor(t, "what it says of that", a.said.Has(name))
			teststore.Make(t, path)
			a.hears("STATUS=serving")
		})
	}
}

func TestUnfitStores(t *testing.T) {
	t.Parallel()
	folder, path := privateStore(t)
	for content, want := range map[string]string{"x": "not a gosess store", strings.Repeat("x", teststore.Size): "not a gosess store"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		a := begin(t, "--store", "shm:"+path, "--far", "redis://127.0.0.1")
		a.ends(1)
		if !a.said.Has(want)() {
			t.Errorf("it said %s", a.said.String())
		}
	}
	a := begin(t, "--store", "shm:"+folder, "--far", "redis://127.0.0.1")
	a.ends(1)
}
