package harness

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/template"
)

// HTTPD is one Apache httpd with the event MPM, from Debian's apache2-bin.
type HTTPD struct {
	Dir          string // where everything of it lies
	Port         int
	Cert         Certificate
	Env          []string // added to the environment: see Preload
	SessionCache string   // SSLSessionCache

	program string
	master  Process
}

var _ Server = (*HTTPD)(nil)

// httpdChildren is the number of processes that serve.
const httpdChildren = 2

// NewHTTPD is an httpd with two children, no session cache of its own, which lets gosess be one, and
// no tickets.
func NewHTTPD(dir string) (*HTTPD, error) {
	program, err := exec.LookPath("apache2")
	if err != nil {
		program = "/usr/sbin/apache2" // not in an ordinary user's PATH
	}
	authority, err := NewAuthority(dir)
	if err != nil {
		return nil, err
	}
	cert, err := authority.Issue("first.test")
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	h := &HTTPD{Dir: dir, Port: port, Cert: cert, SessionCache: "nonenotnull", program: program}
	if err := os.Mkdir(h.Documents(), 0o755); err != nil {
		return nil, err
	}
	return h, os.WriteFile(filepath.Join(h.Documents(), "index.html"), []byte("ok"), 0o644)
}

var httpdConfiguration = template.Must(template.New("httpd.conf").Parse(`
{{- range .Modules}}
LoadModule {{.}}_module /usr/lib/apache2/modules/mod_{{.}}.so
{{- end}}
{{- if .User}}
User {{.User}}
Group {{.User}}
{{- end}}
ServerName localhost
PidFile {{.Dir}}/httpd.pid
DefaultRuntimeDir {{.Dir}}
ErrorLog {{.ErrorLog}}
Mutex posixsem
StartServers {{.Children}}
ServerLimit 4
ThreadsPerChild 8
MaxRequestWorkers 16
MinSpareThreads 16
MaxSpareThreads 32
SSLSessionCache {{.SessionCache}}
Listen 127.0.0.1:{{.Port}}
<VirtualHost 127.0.0.1:{{.Port}}>
    ServerName first.test
    DocumentRoot {{.Documents}}
    SSLEngine on
    SSLProtocol -all +TLSv1.2 +TLSv1.3
    SSLSessionTickets off
    SSLCertificateFile {{.Cert.Cert}}
    SSLCertificateKeyFile {{.Cert.Key}}
</VirtualHost>
`))

// Modules are the modules that it loads.
func (h *HTTPD) Modules() []string {
	return []string{"mpm_event", "authz_core", "dir", "socache_shmcb", "ssl"}
}

// Children is the number of processes that serve.
func (h *HTTPD) Children() int { return httpdChildren }

// Documents is the directory that it answers from.
func (h *HTTPD) Documents() string { return filepath.Join(h.Dir, "documents") }

// ErrorLog is the path of its error log.
func (h *HTTPD) ErrorLog() string { return filepath.Join(h.Dir, "error.log") }

// User is who the children are to run as, where the master is root.
func (h *HTTPD) User() string {
	if os.Geteuid() != 0 {
		return ""
	}
	return "www-data"
}

func (h *HTTPD) startLog() string { return filepath.Join(h.Dir, "start.log") }

// run runs the program until its daemon has left it.
func (h *HTTPD) run(arguments ...string) error {
	log, err := os.OpenFile(h.startLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(h.program, append([]string{"-f", filepath.Join(h.Dir, "httpd.conf")}, arguments...)...)
	cmd.Env = environment(h.Env)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("httpd %s: %w\n%s", strings.Join(arguments, " "), err, h.Log())
	}
	return nil
}

// Start implements Server.
func (h *HTTPD) Start() error {
	var text bytes.Buffer
	if err := httpdConfiguration.Execute(&text, h); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(h.Dir, "httpd.conf"), text.Bytes(), 0o644); err != nil {
		return err
	}
	if err := h.run("-k", "start"); err != nil {
		return err
	}
	err := WaitFor("httpd's pid", func() bool {
		data, _ := os.ReadFile(filepath.Join(h.Dir, "httpd.pid"))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
		found := FindProcess(pid)
		// A pid file of an earlier run may name somebody else's process by now.
		if !strings.Contains(found.Title(), h.Dir) {
			return false
		}
		h.master = found
		return true
	})
	if err == nil {
		err = h.waitServing(nil)
	}
	if err != nil {
		return fmt.Errorf("httpd does not serve: %w\n%s", err, h.Log())
	}
	return nil
}

// waitServing waits until all children serve and none of the old ones is left.
func (h *HTTPD) waitServing(old []Process) error {
	err := WaitFor("httpd's children", func() bool {
		workers := h.Workers()
		for _, worker := range workers {
			if slices.Contains(old, worker) {
				return false
			}
		}
		return len(workers) == httpdChildren
	})
	if err != nil {
		return err
	}
	if err := waitGone("httpd's old children", old); err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(h.Port)), Patience)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Reload implements Server, with a graceful restart.
func (h *HTTPD) Reload() error {
	old := h.Workers()
	if err := h.run("-k", "graceful"); err != nil {
		return err
	}
	if err := h.waitServing(old); err != nil {
		return fmt.Errorf("httpd does not reload: %w\n%s", err, h.Log())
	}
	return nil
}

// Stop implements Server, with SIGWINCH: connections are served to their end.
func (h *HTTPD) Stop() error {
	processes := h.all()
	if len(processes) == 0 {
		return nil
	}
	if err := h.master.Kill(syscall.SIGWINCH); err != nil {
		return err
	}
	err := waitGone("httpd", processes)
	if err != nil {
		err = errors.Join(err, h.Kill9())
	}
	return err
}

// Kill9 implements Server.
func (h *HTTPD) Kill9() error {
	processes := h.all()
	for _, p := range processes {
		if p.Alive() {
			if err := p.Kill(syscall.SIGKILL); err != nil && p.Alive() {
				return err
			}
		}
	}
	return waitGone("httpd", processes)
}

// all is the master, first, and all its children.
func (h *HTTPD) all() []Process {
	if !h.master.Alive() {
		return nil
	}
	return append([]Process{h.master}, h.master.Children()...)
}

// Master implements Server.
func (h *HTTPD) Master() Process {
	if !h.master.Alive() {
		return Process{}
	}
	return h.master
}

// Workers implements Server. A child has all its threads when it is ready to serve.
func (h *HTTPD) Workers() []Process {
	var workers []Process
	for _, p := range h.Master().Children() {
		if p.Threads() > 8 {
			workers = append(workers, p)
		}
	}
	return workers
}

// Log implements Server: first what was said before httpd took stderr to its error log.
func (h *HTTPD) Log() string {
	start, _ := os.ReadFile(h.startLog())
	errorLog, _ := os.ReadFile(h.ErrorLog())
	return string(start) + string(errorLog)
}

// Version is what apache2 -v says, as in "Apache/2.4.66".
func (h *HTTPD) Version() (string, error) {
	said, err := exec.Command(h.program, "-v").CombinedOutput()
	_, version, _ := strings.Cut(string(said), "Server version: ")
	version, _, _ = strings.Cut(version, " ")
	return version, err
}
