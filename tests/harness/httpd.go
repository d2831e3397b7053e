package harness

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/template"
)

// HTTPD is one Apache httpd with a parent and its children, started as a daemon, with the figures of
// Debian's MPM configuration but for the number of children.
type HTTPD struct {
	daemon
	Sited
	Dir         string   // where everything of it lies
	Through     []string // what runs the program: empty, nobody else does
	Env         []string // added to the environment: see Preload
	MPM         string   // "event", "worker" or "prefork"
	WorkerCount int      // children at least
	SSL         string   // lines of mod_ssl for the whole server: SSLSessionCache and the like
	More        []string // modules that it loads too
	System      System   // whose httpd it is
}

var _ Server = (*HTTPD)(nil)

// NewHTTPD is an httpd with the event MPM, two children and one site.
func NewHTTPD(dir string) (*HTTPD, error) {
	authority, err := NewAuthority(dir)
	if err != nil {
		return nil, err
	}
	h := &HTTPD{daemon: daemon{name: "httpd"}, Dir: dir, Sited: Sited{Authority: authority}, MPM: "event", WorkerCount: 2}
	if err := os.WriteFile(h.Answer(), []byte("ok\n"), 0o644); err != nil {
		return nil, err
	}
	_, err = h.AddSite("first.test")
	return h, err
}

var httpdConfiguration = template.Must(template.New("httpd.conf").Parse(`
ServerName first.test
PidFile {{.Dir}}/httpd.pid
DefaultRuntimeDir {{.Dir}}
Define APACHE_RUN_DIR {{.Dir}}
ErrorLog {{.ErrorLog}}
{{- if .Privileged}}
User www-data
Group www-data
{{- end}}
{{- range .Modules}}
LoadModule {{.}}_module /usr/lib/apache2/modules/mod_{{.}}.so
{{- end}}
StartServers {{.WorkerCount}}
{{- if ne .MPM "prefork"}}
MinSpareThreads {{.Spare}}
MaxSpareThreads 150
ThreadsPerChild 25
MaxRequestWorkers 150
{{- else}}
MinSpareServers {{.WorkerCount}}
MaxSpareServers 20
MaxRequestWorkers 150
{{- end}}
SSLProtocol all -SSLv3
{{.SSL}}
{{- range .Ports}}
Listen {{$.Host}}:{{.}}
{{- end}}
{{- range .Sites}}
<VirtualHost {{$.Host}}:{{.Port}}>
    ServerName {{.Name}}
    SSLEngine on
    SSLCertificateFile {{.Cert.Cert}}
    SSLCertificateKeyFile {{.Cert.Key}}
    {{.Directives}}
    {{or .Location (print "AliasMatch ^/$ " $.Answer)}}
    <Location />
        Require all granted
    </Location>
</VirtualHost>
{{- end}}
`))

// Modules are those that it loads.
func (h *HTTPD) Modules() []string {
	return append([]string{"mpm_" + h.MPM, "authz_core", "alias", "socache_shmcb"}, append(h.More, "ssl")...)
}

// Spare is the number of idle threads below which it starts another child: so many that a child
// that was killed is replaced at once.
func (h *HTTPD) Spare() int { return 25*(h.WorkerCount-1) + 10 }

// Ports are the ports of all sites, each once.
func (h *HTTPD) Ports() []int {
	var ports []int
	seen := map[int]bool{}
	for _, site := range h.Sites {
		if !seen[site.Port] {
			seen[site.Port] = true
			ports = append(ports, site.Port)
		}
	}
	return ports
}

// Answer is the path of the file that is the answer to all.
func (h *HTTPD) Answer() string { return filepath.Join(h.Dir, "answer") }

// ErrorLog is the path of its error log, which is its stderr too.
func (h *HTTPD) ErrorLog() string { return filepath.Join(h.Dir, "error.log") }

// Privileged says whether the children drop root's rights.
func (h *HTTPD) Privileged() bool { return os.Geteuid() == 0 }

func (h *HTTPD) startLog() string   { return filepath.Join(h.Dir, "start.log") }
func (h *HTTPD) configFile() string { return filepath.Join(h.Dir, "httpd.conf") }

// run runs the program to its end and adds what the logs say where it fails.
func (h *HTTPD) run(arguments ...string) error {
	var text bytes.Buffer
	if err := httpdConfiguration.Execute(&text, h); err != nil {
		return err
	}
	if err := os.WriteFile(h.configFile(), text.Bytes(), 0o644); err != nil {
		return err
	}
	log, err := os.OpenFile(h.startLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	line := append(append(slices.Clone(h.Through), h.System.program("apache2"), "-d", h.Dir, "-f", h.configFile()), arguments...)
	cmd := h.System.command(line)
	cmd.Env = environment(h.Env)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("httpd %s: %w\n%s", strings.Join(arguments, " "), err, h.Log())
	}
	return nil
}

// Test runs httpd -t.
func (h *HTTPD) Test() error { return h.run("-t") }

// Start implements Server.
func (h *HTTPD) Start() error {
	if err := h.run("-k", "start"); err != nil {
		return err
	}
	err := h.findMaster(filepath.Join(h.Dir, "httpd.pid"), func(found Process) bool {
		return strings.Contains(found.Title(), h.configFile())
	})
	return errors.Join(err, h.WaitServing())
}

// WaitServing waits until it serves and none of the old children is left.
func (h *HTTPD) WaitServing(old ...Process) error {
	err := h.waitReplaced(old, h.Workers, func(now []Process) bool { return len(now) >= h.WorkerCount })
	if err == nil {
		err = waitStarted(h.Env, h.Log(), h.Workers())
	}
	if err != nil {
		return fmt.Errorf("httpd does not serve: %w\n%s", err, h.Log())
	}
	for _, port := range h.Ports() {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(h.Host(), strconv.Itoa(port)), Patience)
		if err != nil {
			return err
		}
		conn.Close()
	}
	return nil
}

// Reload implements Server, as apachectl graceful does.
func (h *HTTPD) Reload() error {
	old := h.Workers()
	if err := h.run("-k", "graceful"); err != nil {
		return err
	}
	return h.WaitServing(old...)
}

// Replace kills a child and waits until there is another one.
func (h *HTTPD) Replace() error {
	worker := h.Workers()[0]
	if err := worker.Kill(syscall.SIGKILL); err != nil {
		return err
	}
	return h.WaitServing(worker)
}

// Stop implements Server, as apachectl graceful-stop does.
func (h *HTTPD) Stop() error { return h.stop(syscall.SIGWINCH) }

// Kill9 implements Server. The parent is still there for the next one, which reads its pid file, until somebody has waited for it.
func (h *HTTPD) Kill9() error {
	err := os.Remove(filepath.Join(h.Dir, "httpd.pid"))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(h.daemon.Kill9(), err)
}

// Workers implements Server.
func (h *HTTPD) Workers() []Process { return h.Master().Children() }

// Log implements Server.
func (h *HTTPD) Log() string {
	start, _ := os.ReadFile(h.startLog())
	errorLog, _ := os.ReadFile(h.ErrorLog())
	return string(start) + string(errorLog)
}

var httpdProblem = regexp.MustCompile(`:(error|crit|alert|emerg)\]|gosess: \[`)

// Problems are the lines of its log that are of level error or worse, or of gosess.
func (h *HTTPD) Problems() []string {
	var lines []string
	for line := range strings.Lines(h.Log()) {
		if httpdProblem.MatchString(line) && !SaysLate(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// Subject is the server as the matrix wants it.
func (h *HTTPD) Subject() *Subject {
	return &Subject{Server: h, Port: h.Port(), Env: h.Env, Replace: h.Replace, Problems: h.Problems}
}

// Version is what apache2 -v says, as in "Apache/2.4.66".
func (h *HTTPD) Version() (string, error) {
	said, err := h.System.command([]string{h.System.program("apache2"), "-v"}).CombinedOutput()
	_, version, _ := strings.Cut(string(said), "Server version: ")
	version, _, _ = strings.Cut(version, " ")
	return version, err
}
