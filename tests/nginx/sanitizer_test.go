package nginx_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// Does the C half lose memory under nginx? Only what is lost for certain counts, and of that what
// it has allocated itself.
func TestValgrind(t *testing.T) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		t.Skip("valgrind is not installed")
	}
	s, _ := withStore(t)
	standIn := filepath.Join(s.Dir, "memory.so")
	compile(t, "../../c/cores/memory.c", standIn)
	s.Env = append(s.Env, "GOSESS_CORE="+standIn)
	s.do(s.Test) // which writes the configuration
	report := filepath.Join(s.Dir, "report")
	nginx := exec.Command(valgrind, "-q", "--leak-check=full", "--show-leak-kinds=definite", "--log-file="+report,
		"nginx", "-p", s.Dir, "-e", s.ErrorLog(), "-c", filepath.Join(s.Dir, "nginx.conf"), "-g", "daemon off; master_process off;")
	nginx.Env = append(os.Environ(), s.Env...)
	s.do(nginx.Start)
	defer nginx.Process.Kill()
	s.do(func() error {
		return harness.WaitFor("nginx to serve", func() bool {
			conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port())))
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
	})
	each(t, func(t *testing.T, version string) {
		s.t = t
		s.resumes("--tls", version, "--sessions", "20", "--attempts", "60")
	})
	s.t = t
	ended := make(chan error, 1)
	go func() { ended <- nginx.Wait() }()
	s.do(func() error {
		return harness.WaitFor("nginx to end", func() bool {
			// Again and again: nginx does not see one that comes just before it waits for events.
			return nginx.Process.Signal(syscall.SIGQUIT) != nil
		})
	})
	s.do(func() error { return <-ended })
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(text), "== \n") {
		if strings.Contains(part, "gosess_") {
			t.Error(part)
		}
	}
}
