// Package testredis runs redis-server, or valkey-server, for tests: on loopback, with a port of its own.
package testredis

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gosess/tests/harness"
)

// Patience is how long a test waits for a condition.
const Patience = time.Minute

// Server is one server.
type Server struct {
	Port     int
	Dir      string
	Password string // that CLI needs

	t         testing.TB
	command   []string // what runs it, before its arguments
	arguments []string
	ready     string // what it says when it is
	process   *exec.Cmd
	out       *Output
}

// Output can be read while a process writes to it.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to it.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String is what was written.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Has is a condition: that a text was written.
func (o *Output) Has(text string) func() bool {
	return func() bool { return strings.Contains(o.String(), text) }
}

// Start starts redis-server. The arguments are as in its configuration, with two dashes; the port is the last argument's
// where there is one.
func Start(t testing.TB, arguments ...string) *Server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip(err)
	}
	return startIn(t, "", t.TempDir(), []string{program}, arguments)
}

// StartIn starts a server whose root directory is another one (chroot(8)).
func StartIn(t testing.TB, root, program string, arguments ...string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Join(root, "tmp"), "valkey")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return startIn(t, root, dir, []string{"chroot", root, program}, arguments)
}

func startIn(t testing.TB, root, dir string, command, arguments []string) *Server {
	t.Helper()
	s := &Server{t: t, Port: FreePort(t), Dir: dir, command: command, ready: "eady to accept connections"}
	s.arguments = append([]string{"--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", strings.TrimPrefix(s.Dir, root),
		"--unixsocket", strings.TrimPrefix(s.Socket(), root), "--port", strconv.Itoa(s.Port)}, arguments...)
	t.Cleanup(s.Kill)
	s.Run()
	return s
}

// FreePort is a port that nobody has, nor is given while this process runs.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Socket is the path of its Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.Dir, "socket") }

// URL is a far URL.
func (s *Server) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d", s.Port) }

// Run starts it, again after Kill.
func (s *Server) Run() {
	s.t.Helper()
	s.out = &Output{}
	arguments := append(append([]string{}, s.command[1:]...), s.arguments...)
	s.process = exec.Command(s.command[0], arguments...)
	s.process.Env = append(os.Environ(), "LC_ALL=C") // the locale of this system may be none of another root
	s.process.Stdout, s.process.Stderr = s.out, s.out
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if s.t.Failed() {
			s.t.Logf("it said: %s", s.out.String())
		}
	}()
	WaitFor(s.t, "the server accepts connections", func() bool {
		return strings.Contains(s.out.String(), s.ready)
	})
}

// Signal sends it a signal.
func (s *Server) Signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// PID is its process id.
func (s *Server) PID() int { return s.process.Process.Pid }

// Kill ends it.
func (s *Server) Kill() {
	if s.process != nil && s.process.Process != nil {
		s.process.Process.Kill()
		s.process.Wait()
		s.process = nil
	}
}

// CLI sends one command on a connection of its own, and returns the lines that it answers.
func (s *Server) CLI(words ...string) string {
	s.t.Helper()
	c, err := net.DialTimeout("unix", s.Socket(), Patience)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(Patience))
	text := command(words) + command([]string{"PING"})
	if s.Password != "" {
		text = command([]string{"AUTH", s.Password}) + text
	}
	if _, err := c.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
	const end = "+PONG\r\n"
	var all []byte
	for buffer := make([]byte, 4096); !bytes.HasSuffix(all, []byte(end)); {
		n, err := c.Read(buffer)
		if err != nil {
			s.t.Fatalf("%v, after %q", err, all)
		}
		all = append(all, buffer[:n]...)
	}
	answer := strings.TrimSuffix(string(all), end)
	if s.Password != "" {
		answer = strings.TrimPrefix(answer, "+OK\r\n")
	}
	return answer
}

func command(words []string) string {
	text := fmt.Sprintf("*%d\r\n", len(words))
	for _, w := range words {
		text += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
	}
	return text
}

// WaitFor waits for a condition.
func WaitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s", what)
		}
	}
}

// MemoryFile is a dump of the memory of a process: all that is mapped for reading and writing.
func MemoryFile(t testing.TB, pid int) []byte {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	var dump []byte
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var rights string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); n != 3 || !strings.HasPrefix(rights, "rw") {
			continue
		}
		part := make([]byte, to-from)
		n, _ := memory.ReadAt(part, from)
		dump = append(dump, part[:n]...)
	}
	return dump
}
