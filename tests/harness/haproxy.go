package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// HAProxy is one HAProxy that answers by itself, started as Debian's unit does, with a master
// that has one worker, but as a daemon.
type HAProxy struct {
	Dir        string // where everything of it lies
	Authority  *Authority
	Address    string // where it listens: empty, at 127.0.0.1
	Port       int
	Through    []string // what runs the program: empty, nobody else does
	Env        []string // added to the environment: see Preload
	Foreground bool     // started with -db: one process, which never forks
	Attached   bool     // no daemon: the master says what becomes of its workers
	CacheSize  int      // tune.ssl.cachesize, in blocks; 0: the default
	Threads    int
	Tickets    bool   // else no-tls-tickets
	Global     string // more lines of the global section
	Bind       string // more options of the bind line
	Respond    string // instead of an answer of 200
	Sections   string // more sections
	System     System // whose HAProxy it is

	daemon
}

var _ Server = (*HAProxy)(nil)

// NewHAProxy is an HAProxy with two threads, its own session cache of the default size, and no tickets.
func NewHAProxy(dir string) (*HAProxy, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	h := &HAProxy{Dir: dir, Port: port, Threads: 2, daemon: daemon{name: "haproxy"}}
	return h, errors.Join(os.Mkdir(h.Root(), 0o755), h.issue())
}

// issue makes the one file that HAProxy wants a certificate and its key in.
func (h *HAProxy) issue() error {
	authority, err := NewAuthority(h.Dir)
	if err != nil {
		return err
	}
	h.Authority = authority
	return h.Renew()
}

// Renew makes another certificate of the same name, to be read by HAProxy when it is asked to.
func (h *HAProxy) Renew() error {
	files, err := h.Authority.Issue("first.test")
	if err != nil {
		return err
	}
	return files.Join(h.CertAndKey())
}

var haproxyConfiguration = template.Must(template.New("haproxy.cfg").Parse(`
global
    nbthread {{.Threads}}
{{- if .CacheSize}}
    tune.ssl.cachesize {{.CacheSize}}
{{- end}}
    {{.Global}}
{{- if .Foreground}}
    stats socket {{.CommandLine}}
{{- end}}
{{- if .Privileged}}
    chroot {{.Root}}
    user haproxy
    group haproxy
{{- end}}
defaults
    mode http
    timeout client 1m
    timeout server 1m
    timeout connect 1m
frontend tls
    bind {{or .Address "127.0.0.1"}}:{{.Port}} ssl crt {{.CertAndKey}} {{if not .Tickets}}no-tls-tickets{{end}} ssl-min-ver TLSv1.2 {{.Bind}}
    {{or .Respond "http-request return status 200 content-type text/plain string ok"}}
{{.Sections}}
`))

// Root is the empty directory that the worker takes for the root of all files.
func (h *HAProxy) Root() string { return filepath.Join(h.Dir, "empty") }

// CertAndKey is the path of the server's certificate and key.
func (h *HAProxy) CertAndKey() string { return filepath.Join(h.Dir, "server.pem") }

// CommandLine is the path of the socket of its command line: the master's where it has one.
func (h *HAProxy) CommandLine() string { return filepath.Join(h.Dir, "cli.sock") }

// Privileged says whether the worker drops root's rights.
func (h *HAProxy) Privileged() bool { return os.Geteuid() == 0 }

func (h *HAProxy) pidFile() string  { return filepath.Join(h.Dir, "haproxy.pid") }
func (h *HAProxy) startLog() string { return filepath.Join(h.Dir, "start.log") }

// gosessLog is where gosess writes: the daemon has no stderr.
func (h *HAProxy) gosessLog() string { return filepath.Join(h.Dir, "gosess.log") }

// command is the program with its configuration, what it says going to a file.
func (h *HAProxy) command(mode ...string) (*exec.Cmd, *os.File, error) {
	var text bytes.Buffer
	if err := haproxyConfiguration.Execute(&text, h); err != nil {
		return nil, nil, err
	}
	file := filepath.Join(h.Dir, "haproxy.cfg")
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
		return nil, nil, err
	}
	log, err := os.OpenFile(h.startLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, nil, err
	}
	line := append(append(slices.Clone(h.Through), h.System.program("haproxy")), mode...)
	cmd := h.System.command(append(line, "-f", file))
	cmd.Env = environment(append([]string{"GOSESS_LOG=error:" + h.gosessLog()}, h.Env...))
	cmd.Stdout, cmd.Stderr = log, log
	return cmd, log, nil
}

// Test runs haproxy -c.
func (h *HAProxy) Test() error {
	cmd, log, err := h.command("-c")
	if err != nil {
		return err
	}
	defer log.Close()
	return cmd.Run()
}

// Start implements Server.
func (h *HAProxy) Start() error {
	mode := []string{"-W", "-D", "-S", h.CommandLine(), "-p", h.pidFile()}
	switch {
	case h.Foreground:
		mode = []string{"-db"}
	case h.Attached:
		mode = []string{"-W", "-S", h.CommandLine()}
	}
	cmd, log, err := h.command(mode...)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := h.launch(cmd); err != nil {
		return fmt.Errorf("haproxy does not start: %w\n%s", err, h.Log())
	}
	if err := h.waitServing(nil); err != nil {
		return fmt.Errorf("haproxy does not serve: %w\n%s", err, h.Log())
	}
	return nil
}

// launch starts the program and finds its master.
func (h *HAProxy) launch(cmd *exec.Cmd) error {
	if h.Foreground || h.Attached {
		if err := cmd.Start(); err != nil {
			return err
		}
		h.master = FindProcess(cmd.Process.Pid)
		go func() { _ = cmd.Wait() }() // how it ends is seen in /proc
		return nil
	}
	if err := os.Remove(h.pidFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := cmd.Run(); err != nil {
		return err
	}
	return h.findMaster(h.pidFile(), func(Process) bool { return true })
}

// waitServing waits until a worker that is none of the old ones serves, and these are gone.
// Before its worker answers HAProxy loses signals.
func (h *HAProxy) waitServing(old []Process) error {
	err := h.waitReplaced(old, h.Workers, func(workers []Process) bool {
		return len(workers) == 1 && h.answering() == workers[0].PID
	})
	if err == nil {
		err = waitStarted(h.Env, h.logged(), h.Workers())
	}
	return err
}

// answering is the process id of the worker that answers on the command line, 0 for none. A
// master passes the question on, so that an answer speaks for both.
func (h *HAProxy) answering() int {
	// Not for long: a question that came between two workers is never answered, another one is.
	for line := range strings.Lines(h.ask("show info", time.Second)) {
		if pid, found := strings.CutPrefix(line, "Pid: "); found {
			number, _ := strconv.Atoi(strings.TrimSpace(pid))
			return number
		}
	}
	return 0
}

// Ask is what the worker answers on its command line; "" where it does not.
func (h *HAProxy) Ask(question string) string { return h.ask(question, Patience) }

func (h *HAProxy) ask(question string, patience time.Duration) string {
	conn, err := net.DialTimeout("unix", h.CommandLine(), patience)
	if err != nil {
		return ""
	}
	defer conn.Close()
	if !h.Foreground {
		question = "@1 " + question
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return ""
	}
	if _, err := conn.Write([]byte(question + "\n")); err != nil {
		return ""
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil { // else a master waits for another question
		return ""
	}
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// Reload implements Server.
func (h *HAProxy) Reload() error { return h.ReloadBy(syscall.SIGUSR2) }

// ReloadBy reloads with a signal, SIGUSR2 or SIGHUP: the master becomes a new program with a new
// worker, and asks the old worker to end.
func (h *HAProxy) ReloadBy(signal syscall.Signal) error {
	old := h.Workers()
	if err := h.master.Kill(signal); err != nil {
		return err
	}
	if err := h.waitServing(old); err != nil {
		return fmt.Errorf("haproxy does not reload: %w\n%s", err, h.Log())
	}
	return nil
}

// Stop implements Server, with SIGUSR1: connections are served to their end.
func (h *HAProxy) Stop() error {
	return h.stop(syscall.SIGUSR1)
}

// Workers implements Server. In the foreground the one process is its own worker.
func (h *HAProxy) Workers() []Process {
	all := h.all()
	if h.Foreground || len(all) == 0 {
		return all
	}
	return all[1:]
}

// Version is what haproxy -v says, as in "2.6.12-1".
func (h *HAProxy) Version() (string, error) {
	said, err := h.System.command([]string{h.System.program("haproxy"), "-v"}).CombinedOutput()
	fields := strings.Fields(string(said))
	if err == nil && len(fields) < 3 {
		err = fmt.Errorf("haproxy -v: %s", said)
	}
	if err != nil {
		return "", err
	}
	return fields[2], nil
}

// Log implements Server.
func (h *HAProxy) Log() string {
	start, _ := os.ReadFile(h.startLog())
	return string(start) + strings.Join(h.Said(), "\n")
}

// Said are the lines that gosess wrote.
func (h *HAProxy) Said() []string {
	lines := strings.FieldsFunc(h.logged(), func(r rune) bool { return r == '\n' })
	return slices.DeleteFunc(lines, func(line string) bool { return SaysLate(line) })
}

func (h *HAProxy) logged() string {
	data, _ := os.ReadFile(h.gosessLog())
	return string(data)
}

// Replace kills the worker, after which the master ends too, and starts another master, as
// Debian's unit does.
func (h *HAProxy) Replace() error {
	all := h.all()
	if err := h.Workers()[0].Kill(syscall.SIGKILL); err != nil {
		return err
	}
	if err := waitGone("haproxy", all); err != nil {
		return err
	}
	return h.Start()
}

// Problems are the lines of its log that say so, and those of gosess. It is not alarmed by the
// death of a worker that was killed.
func (h *HAProxy) Problems() []string {
	problems := h.Said()
	for line := range strings.Lines(h.Log()) {
		killed := strings.Contains(line, "exited with code 137") || strings.Contains(line, "exit-on-failure") ||
			strings.Contains(line, "All workers exited")
		if strings.Contains(line, "[ALERT]") && !killed {
			problems = append(problems, strings.TrimSpace(line))
		}
	}
	return problems
}

// Subject is the server as the matrix wants it.
func (h *HAProxy) Subject() *Subject {
	s := &Subject{Server: h, Port: h.Port, Env: h.Env, Replace: h.Replace, Problems: h.Problems}
	if h.Privileged() {
		s.Root = h.Root()
	}
	return s
}
