package system

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func environment(of map[string]string) func(string) string {
	return func(name string) string { return of[name] }
}

func TestTell(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	for _, address := range []string{path, "@gosess-agent-test-" + fmt.Sprint(os.Getpid())} {
		name := address
		if name[0] == '@' {
			name = "\x00" + name[1:]
		}
		socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		m := FindManager(environment(map[string]string{"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}), 7)
		if err := m.Tell("READY=1", "STATUS=well"); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 100)
		socket.SetReadDeadline(time.Now().Add(time.Minute))
		n, err := socket.Read(buffer)
		if text := string(buffer[:n]); err != nil || text != "READY=1\nSTATUS=well" {
			t.Errorf("%s: heard %q, %v", address, text, err)
		}
		if m.Watchdog() != time.Second {
			t.Errorf("watchdog each %v", m.Watchdog())
		}
	}
}

func TestNoManager(t *testing.T) {
	if err := FindManager(environment(nil), 7).Tell("READY=1"); err != nil {
		t.Error(err)
	}
	other := FindManager(environment(map[string]string{"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}), 7)
	if other.Watchdog() != 0 {
		t.Error("the watchdog of another process counts")
	}
}

// becomeVariable has this test's program become the user that it names, and say what each thread is then.
const becomeVariable = "GOSESS_AGENT_TEST_BECOME"

func TestMain(m *testing.M) {
	if name := os.Getenv(becomeVariable); name != "" {
		os.Exit(becomeAndTell(name))
	}
	os.Exit(m.Run())
}

func becomeAndTell(name string) int {
	identity, err := Find(name)
	if err == nil {
		err = identity.Become()
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	tasks, _ := filepath.Glob("/proc/self/task/*/status")
	for _, task := range tasks {
		status, _ := os.ReadFile(task)
		for line := range strings.Lines(string(status)) {
			if strings.HasPrefix(line, "Uid:") || strings.HasPrefix(line, "Gid:") || strings.HasPrefix(line, "Groups:") ||
				strings.HasPrefix(line, "CapEff:") {
				fmt.Println(strings.Join(strings.Fields(line), " "))
			}
		}
	}
	return 0
}

func TestBecome(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root becomes somebody else")
	}
	become := func(name string) (string, error) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), becomeVariable+"="+name)
		out, err := cmd.Output()
		return string(out), err
	}
	out, err := become("nobody")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := map[string]bool{"Uid: 65534 65534 65534 65534": true, "Gid: 65534 65534 65534 65534": true, "Groups: 65534": true,
		"CapEff: 0000000000000000": true}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) < 8 {
		t.Errorf("only one thread: %s", out)
	}
	for _, line := range lines {
		if !want[line] {
			t.Errorf("a thread has %q", line)
		}
	}
	for name, want := range map[string]string{"root": "does not stay root", "no-such-user": `user "no-such-user": there is none`} {
		if out, err := become(name); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %s, %v; wanted %s", name, out, err, want)
		}
	}
}

func TestNoDumps(t *testing.T) {
	const getDumpable = 3 // of prctl(2)
	if err := NoDumps(); err != nil {
		t.Fatal(err)
	}
	dumpable, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, getDumpable, 0, 0)
	var cores syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &cores); err != nil || errno != 0 || dumpable != 0 || cores.Cur != 0 || cores.Max != 0 {
		t.Errorf("dumpable %d, %v; cores of %d and %d, %v", dumpable, errno, cores.Cur, cores.Max, err)
	}
}

// TestExplained: what has a cure gets one, once, and what has none stays as it is.
func TestExplained(t *testing.T) {
	readOnly := fmt.Errorf("around: %w", &os.PathError{Op: "open", Path: "/somewhere", Err: syscall.EROFS})
	said := Explained(readOnly, ToWrite)
	if !strings.Contains(said.Error(), "/somewhere: read-only file system: allowed: a folder that ReadWritePaths=") || Explained(said, ToRead).Error() != said.Error() {
		t.Errorf("it says %v, and then %v", said, Explained(said, ToRead))
	}
	for _, err := range []error{nil, os.ErrPermission, &os.PathError{Op: "open", Path: "/nowhere", Err: syscall.ENOENT}} {
		if got := Explained(err, ToRead); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	// What no mode explains.
	if said := Explained(&os.PathError{Op: "open", Path: "/proc/self/status", Err: syscall.EACCES}, ToRead); !strings.Contains(said.Error(), "AppArmor") {
		t.Errorf("it says %v", said)
	}
}
