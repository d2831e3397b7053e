package nginx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// Does nginx for arm64 resume as it does here, over a reload, a worker's death and a restart? It runs under qemu-user, so no process
// of it has a title.
func TestARM64(t *testing.T) {
	harness.OnlyWhereAll(t)
	machine := versions.ARM64(t)
	harness.Matrix{
		Page: "nginx",
		New: func(_ *testing.T, dir string, row harness.Row, env []string) (*harness.Subject, error) {
			p, err := nginxOn(machine, dir, row, env)
			if err != nil {
				return nil, err
			}
			return p.Subject(), nil
		},
		Tickets: []string{"off", "stateful", "shared"},
		Workers: []int{2},
		Paths:   []bool{true},
		Steps:   []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart},
		Few:     true,
	}.Run(t)
}

func nginxOn(machine harness.Machine, dir string, row harness.Row, env []string) (*harness.Program, error) {
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		return nil, err
	}
	port, err := harness.FreePort()
	if err != nil {
		return nil, err
	}
	if env, err = machine.Environment(env); err != nil {
		return nil, err
	}
	tickets := "on"
	if row.Tickets == "off" {
		tickets = "off"
	}
	config, pid, log := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "nginx.pid"), filepath.Join(dir, "error.log")
	text := fmt.Sprintf(`worker_processes %[1]d;
pid %[2]s;
error_log %[3]s notice;
events { }
http {
    access_log off;
    client_body_temp_path %[4]s/body;
    proxy_temp_path %[4]s/proxy;
    fastcgi_temp_path %[4]s/fastcgi;
    uwsgi_temp_path %[4]s/uwsgi;
    scgi_temp_path %[4]s/scgi;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets %[5]s;
    server {
        listen 127.0.0.1:%[6]d ssl;
        server_name first.test;
        ssl_certificate %[7]s;
        ssl_certificate_key %[7]s;
        return 200 ok;
    }
}
`, row.Workers, pid, log, dir, tickets, port, pem)
	if os.Geteuid() == 0 {
		text = "user www-data;\n" + text
	}
	line := machine.Line(filepath.Join(string(machine), "usr/sbin/nginx"), "-p", dir, "-e", log, "-c", config)
	return &harness.Program{
		Dir: dir, Port: port, Env: env, Line: line, PidFile: pid, WorkerCount: row.Workers, Logs: []string{log},
		ReloadWith: syscall.SIGHUP, StopWith: syscall.SIGQUIT, Problem: regexp.MustCompile(`\[(crit|emerg)\]`),
	}, os.WriteFile(config, []byte(text), 0o644)
}
