package nginx_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// resumesAtLast waits until a session is resumed: the stand-in for the Go half may start late where both are as slow as here.
func (s *server) resumesAtLast() error {
	return harness.WaitFor("a session to be resumed", func() bool {
		return s.load("--sessions", "1", "--attempts", "1").Resumed == 1
	})
}

// Does the C half lose memory under nginx?
func TestValgrind(t *testing.T) {
	harness.OnlyWhereAll(t)
	s, _ := withStore(t)
	valgrind := harness.NewValgrind(t, s.Dir)
	s.do(s.Test) // which writes the configuration
	line := append(valgrind.Through, "nginx", "-p", s.Dir, "-e", s.ErrorLog(), "-c", filepath.Join(s.Dir, "nginx.conf"),
		"-g", "daemon off; master_process off;")
	nginx := exec.Command(line[0], line[1:]...)
	nginx.Env = append(append(os.Environ(), s.Env...), valgrind.Env...)
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
	s.do(s.resumesAtLast)
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
	valgrind.Judge(t)
}
