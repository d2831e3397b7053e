package harness

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/template"
)

// Nginx is one nginx with a master process, started as Debian does: as a daemon.
type Nginx struct {
	Dir          string   // where everything of it lies
	Env          []string // added to the environment: see Preload
	WorkerCount  int
	SessionCache string   // ssl_session_cache
	Tickets      bool     // ssl_session_tickets
	Main         string   // directives outside of http
	Unprivileged bool     // the master too runs as www-data
	Through      []string // the command that becomes nginx, as of prlimit(1)
	System       System   // whose nginx it is

	Sited
	daemon
}

var _ Server = (*Nginx)(nil)

// NewNginx is an nginx with two workers, one site, no session cache and no tickets.
func NewNginx(dir string) (*Nginx, error) {
	authority, err := NewAuthority(dir)
	if err != nil {
		return nil, err
	}
	n := &Nginx{Dir: dir, Sited: Sited{Authority: authority}, WorkerCount: 2, SessionCache: "none",
		daemon: daemon{name: "nginx"}}
	_, err = n.AddSite("first.test")
	return n, err
}

var configuration = template.Must(template.New("nginx.conf").Parse(`
{{- if .User}}user {{.User}};
{{end -}}
{{.Main}}
worker_processes {{.WorkerCount}};
pid {{.Dir}}/nginx.pid;
error_log {{.ErrorLog}} notice;
events { worker_connections 1024; }
http {
    access_log {{.AccessLog}};
    client_body_temp_path {{.Dir}}/body;
    proxy_temp_path {{.Dir}}/proxy;
    fastcgi_temp_path {{.Dir}}/fastcgi;
    uwsgi_temp_path {{.Dir}}/uwsgi;
    scgi_temp_path {{.Dir}}/scgi;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache {{.SessionCache}};
    ssl_session_tickets {{if .Tickets}}on{{else}}off{{end}};
    add_header X-Worker $pid always;
{{- range .Sites}}
    server {
        listen {{$.Host}}:{{.Port}} ssl {{.Listen}};
        server_name {{.Name}};
        ssl_certificate {{.Cert.Cert}};
        ssl_certificate_key {{.Cert.Key}};
        {{.Directives}}
        location / { {{or .Location "return 200 ok;"}} }
    }
{{- end}}
}
`))

// ErrorLog is the path of nginx's error log.
func (n *Nginx) ErrorLog() string { return filepath.Join(n.Dir, "error.log") }

func (n *Nginx) startLog() string { return filepath.Join(n.Dir, "start.log") }

func (n *Nginx) configFile() string { return filepath.Join(n.Dir, "nginx.conf") }

// User is who the workers are to run as, where the master is root.
func (n *Nginx) User() string {
	if os.Geteuid() != 0 || n.Unprivileged {
		return ""
	}
	return "www-data"
}

// command is the program with its configuration, what it says going to a file: a pipe
// would be held open by the daemon.
func (n *Nginx) command(arguments ...string) (*exec.Cmd, *os.File, error) {
	log, err := os.OpenFile(n.startLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, nil, err
	}
	arguments = append([]string{"-p", n.Dir, "-e", n.ErrorLog(), "-c", n.configFile()}, arguments...)
	cmd := n.System.command(append(append(slices.Clone(n.Through), n.System.program("nginx")), arguments...))
	cmd.Env = environment(n.Env)
	cmd.Stdout, cmd.Stderr = log, log
	if n.Unprivileged && os.Geteuid() == 0 {
		credential, err := n.giveAway()
		if err != nil {
			log.Close()
			return nil, nil, err
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Chroot: n.System.Root}
	}
	return cmd, log, nil
}

// giveAway makes www-data the owner of the directory and of all that is in it.
func (n *Nginx) giveAway() (*syscall.Credential, error) {
	account, err := user.Lookup("www-data")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	err = filepath.Walk(n.Dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// run runs the program to its end and adds what the logs say where it fails.
func (n *Nginx) run(arguments ...string) error {
	var text bytes.Buffer
	if err := configuration.Execute(&text, n); err != nil {
		return err
	}
	if err := os.WriteFile(n.configFile(), text.Bytes(), 0o644); err != nil {
		return err
	}
	cmd, log, err := n.command(arguments...)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("nginx %s: %w\n%s", strings.Join(arguments, " "), err, n.Log())
	}
	return nil
}

// Test runs nginx -t.
func (n *Nginx) Test() error { return n.run("-t") }

// Start implements Server.
func (n *Nginx) Start() error {
	if err := n.run(); err != nil {
		return err
	}
	err := n.findMaster(filepath.Join(n.Dir, "nginx.pid"), func(found Process) bool {
		title := found.Title()
		return strings.HasPrefix(title, "nginx: master process") && strings.Contains(title, n.Dir)
	})
	if err == nil {
		err = n.waitServing(nil)
	}
	if err != nil {
		return fmt.Errorf("nginx does not serve: %w\n%s", err, n.Log())
	}
	return nil
}

// waitServing waits until all workers serve and none of the old ones is left.
func (n *Nginx) waitServing(old []Process) error {
	err := n.waitReplaced(old, n.Workers, func(workers []Process) bool { return len(workers) == n.WorkerCount })
	if err == nil {
		err = waitStarted(n.Env, n.Log(), n.Workers())
	}
	if err != nil {
		return err
	}
	for _, site := range n.Sites {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(n.Host(), strconv.Itoa(site.Port)), Patience)
		if err != nil {
			return err
		}
		conn.Close()
	}
	return nil
}

// WaitServing waits until the master has all its workers, as after one was killed.
func (n *Nginx) WaitServing(gone ...Process) error { return n.waitServing(gone) }

// Reload implements Server, with nginx -s reload.
func (n *Nginx) Reload() error {
	old := n.Workers()
	if err := n.run("-s", "reload"); err != nil {
		return err
	}
	if err := n.waitServing(old); err != nil {
		return fmt.Errorf("nginx does not reload: %w\n%s", err, n.Log())
	}
	return nil
}

// AccessLog is the path of nginx's access log.
func (n *Nginx) AccessLog() string { return filepath.Join(n.Dir, "access.log") }

// ReopenLogs puts the access log aside, and returns when the workers write to another one.
func (n *Nginx) ReopenLogs() error {
	log := n.AccessLog()
	if err := os.Rename(log, log+".old"); err != nil {
		return err
	}
	if err := n.master.Kill(syscall.SIGUSR1); err != nil {
		return err
	}
	return WaitFor("the workers to open the new log", func() bool {
		return !slices.ContainsFunc(n.Workers(), func(worker Process) bool {
			return worker.HasOpen(log+".old") || !worker.HasOpen(log)
		})
	})
}

// Upgrade makes the program start itself anew, as for a new version of it, and lets the old master
// end when the new one serves.
func (n *Nginx) Upgrade() error {
	old, master := n.all(), n.master
	if err := master.Kill(syscall.SIGUSR2); err != nil {
		return err
	}
	err := n.findMaster(filepath.Join(n.Dir, "nginx.pid"), func(found Process) bool {
		return found != master && found.Title() != "" && len(found.Children()) >= n.WorkerCount
	})
	if err != nil {
		return fmt.Errorf("nginx does not upgrade: %w\n%s", err, n.Log())
	}
	for _, signal := range []syscall.Signal{syscall.SIGWINCH, syscall.SIGQUIT} {
		if err := master.Kill(signal); err != nil {
			return err
		}
	}
	return n.waitServing(old)
}

// Stop implements Server, with SIGQUIT: connections are served to their end.
func (n *Nginx) Stop() error {
	return n.stop(syscall.SIGQUIT)
}

// Workers implements Server. A worker takes its title when it is ready to serve.
func (n *Nginx) Workers() []Process {
	var workers []Process
	for _, p := range n.Master().Children() {
		if p.Title() == "nginx: worker process" {
			workers = append(workers, p)
		}
	}
	return workers
}

// Log implements Server: first what was said before nginx took stderr to its error log.
func (n *Nginx) Log() string {
	start, _ := os.ReadFile(n.startLog())
	errorLog, _ := os.ReadFile(n.ErrorLog())
	return string(start) + string(errorLog)
}

var problem = regexp.MustCompile(`\[(alert|crit|emerg)\]`)

// Problems are the lines of its log with level alert, crit or emerg.
func (n *Nginx) Problems() []string {
	return n.linesWith(problem.MatchString)
}

// Said are the lines of its log that gosess wrote.
func (n *Nginx) Said() []string {
	return n.linesWith(func(line string) bool { return strings.Contains(line, "gosess: [") && !SaysLate(line) })
}

func (n *Nginx) linesWith(wanted func(string) bool) []string {
	var lines []string
	for line := range strings.Lines(n.Log()) {
		if wanted(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// Replace kills a worker and waits until there is another one.
func (n *Nginx) Replace() error {
	worker := n.Workers()[0]
	if err := worker.Kill(syscall.SIGKILL); err != nil {
		return err
	}
	return n.WaitServing(worker)
}

// Subject is the server as the matrix wants it. It is not alarmed by the death of a worker that was killed.
func (n *Nginx) Subject() *Subject {
	problems := func() []string {
		mine := slices.DeleteFunc(n.Problems(), func(line string) bool { return strings.Contains(line, "exited on signal 9") })
		return append(mine, n.Said()...)
	}
	return &Subject{Server: n, Port: n.Port(), Env: n.Env, Replace: n.Replace, Problems: problems}
}

// Version is what nginx -v says, as in "nginx/1.22.1".
func (n *Nginx) Version() (string, error) {
	said, err := n.System.command([]string{n.System.program("nginx"), "-v"}).CombinedOutput()
	_, version, _ := strings.Cut(strings.TrimSpace(string(said)), ": ")
	return version, err
}
