package harness

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Program is a server that is described rather than programmed: a command line, how it is told to
// read its configuration again and to end, and where it says what it does.
type Program struct {
	daemon
	Dir         string // where everything of it lies
	Port        int
	Env         []string // added to the environment: see Preload
	Told        []string // of gosess, where its configuration says so and not its environment
	Through     []string // the command that becomes the first word of Line
	Line        []string
	PidFile     string // of a daemon; empty: what Line starts is the server
	WorkerCount int    // children that serve; 0: the server does so itself
	ReloadWith  syscall.Signal
	StopWith    syscall.Signal
	Logs        []string       // its logs, beside what it says on stderr
	Problem     *regexp.Regexp // what a line in them holds that should not be there
	Loaded      func() bool    // whether the server has read its configuration again, where no worker shows it
	Wanted      func(Process) bool
	UDP         bool // it serves datagrams: no connection tells whether it does

	ended chan string // how the process that Line started has ended, where it is the server
}

var _ Server = (*Program)(nil)

func (p *Program) stderrLog() string { return filepath.Join(p.Dir, "stderr.log") }
func (p *Program) gosessLog() string { return filepath.Join(p.Dir, "gosess.log") }

// Start implements Server.
func (p *Program) Start() error {
	p.name = filepath.Base(p.Line[0])
	log, err := os.OpenFile(p.stderrLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	line := append(slices.Clone(p.Through), p.Line...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = environment(append(p.Env, "GOSESS_LOG=error:"+p.gosessLog()))
	cmd.Dir = p.Dir
	cmd.Stdout, cmd.Stderr = log, log
	if err := p.launch(cmd); err != nil {
		return fmt.Errorf("%s does not start: %w\n%s", p.name, err, p.Log())
	}
	return p.waitServing(nil)
}

func (p *Program) launch(cmd *exec.Cmd) error {
	if p.PidFile == "" {
		if err := cmd.Start(); err != nil {
			return err
		}
		p.master = FindProcess(cmd.Process.Pid)
		ended := make(chan string, 1)
		p.ended = ended
		go func() {
			_ = cmd.Wait() // what is wrong with it is in its state
			ended <- cmd.ProcessState.String()
		}()
		return nil
	}
	if err := os.Remove(p.PidFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := cmd.Run(); err != nil {
		return err
	}
	return p.findMaster(p.PidFile, Process.Alive)
}

// waitServing waits until it has its workers and answers, and none of the old ones is left.
func (p *Program) waitServing(old []Process) error {
	err := p.waitReplaced(old, p.Workers, func(now []Process) bool {
		return p.master.Alive() && (p.WorkerCount == 0 || len(now) == p.WorkerCount) && p.accepts()
	})
	if err == nil {
		err = waitStarted(slices.Concat(p.Env, p.Told), p.Log(), p.Workers())
	}
	if err != nil {
		return fmt.Errorf("%s does not serve: %w\n%s", p.name, err, p.Log())
	}
	return nil
}

func (p *Program) accepts() bool {
	if p.UDP {
		return boundUDP(p.Port)
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(loopback, strconv.Itoa(p.Port)), Patience)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Ended waits for the end of a server that is no daemon, and is how it ended: "exit status 0", where all is well.
func (p *Program) Ended() string {
	select {
	case how := <-p.ended:
		return how
	case <-time.After(Patience):
		return "it does not end"
	}
}

// Reload implements Server.
func (p *Program) Reload() error {
	old := p.Workers()
	if p.WorkerCount == 0 {
		old = nil
	}
	if err := p.master.Kill(p.ReloadWith); err != nil {
		return err
	}
	if p.Loaded != nil {
		if err := WaitFor(p.name+" to read its configuration", p.Loaded); err != nil {
			return err
		}
	}
	return p.waitServing(old)
}

// Replace kills a worker and waits until there is another one; a server that is one process is
// started again, as systemd would.
func (p *Program) Replace() error {
	if p.WorkerCount == 0 {
		return errors.Join(p.Kill9(), p.Start())
	}
	worker := p.Workers()[0]
	if err := worker.Kill(syscall.SIGKILL); err != nil {
		return err
	}
	return p.waitServing([]Process{worker})
}

// Stop implements Server.
func (p *Program) Stop() error { return p.stop(p.StopWith) }

// Workers implements Server.
func (p *Program) Workers() []Process {
	if p.WorkerCount == 0 {
		return p.all()
	}
	var workers []Process
	for _, child := range p.Master().Children() {
		if p.Wanted == nil || p.Wanted(child) {
			workers = append(workers, child)
		}
	}
	return workers
}

// Log implements Server.
func (p *Program) Log() string {
	var text bytes.Buffer
	for _, path := range append([]string{p.stderrLog(), p.gosessLog()}, p.Logs...) {
		data, _ := os.ReadFile(path)
		text.Write(data)
	}
	return text.String()
}

// Problems are the lines of its logs that should not be there, and those of gosess.
func (p *Program) Problems() []string {
	var lines []string
	for line := range strings.Lines(p.Log()) {
		if !SaysLate(line) && (strings.Contains(line, "gosess: [") || p.Problem != nil && p.Problem.MatchString(line)) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// Subject is the server as the matrix wants it.
func (p *Program) Subject(arguments ...string) *Subject {
	return &Subject{Server: p, Port: p.Port, Env: p.Env, Arguments: arguments, Replace: p.Replace, Problems: p.Problems}
}

// CertAndKey makes the one file that some servers want a certificate and its key in.
func CertAndKey(dir string) (string, error) { return CertAndKeyOf(dir, "first.test") }

// CertAndKeyOf makes it for a server of that name, by an authority of its own, in a directory
// that is made where it is not there. Made again, it is a renewed certificate in the same place.
func CertAndKeyOf(dir, name string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	authority, err := NewAuthority(dir)
	if err != nil {
		return "", err
	}
	files, err := authority.Issue(name)
	if err != nil {
		return "", err
	}
	cert, err := os.ReadFile(files.Cert)
	if err != nil {
		return "", err
	}
	key, err := os.ReadFile(files.Key)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "server.pem")
	return path, os.WriteFile(path, append(cert, key...), 0o600)
}

// Backend is a server without TLS behind one that has it: it answers every request with 200.
func Backend(t *testing.T) (port int) {
	t.Helper()
	return Listen(t, answer).Port
}

// Listen serves each connection to a port of loopback by handle, which it closes afterwards, until the test ends.
func Listen(t testing.TB, handle func(net.Conn)) *net.TCPAddr {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr)
}

func answer(conn net.Conn) {
	var request []byte
	for piece := make([]byte, 1024); !bytes.Contains(request, []byte("\r\n\r\n")); {
		n, err := conn.Read(piece)
		if err != nil {
			return
		}
		request = append(request, piece[:n]...)
	}
	_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"))
}
