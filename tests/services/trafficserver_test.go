package services_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// newTrafficServer makes servers that are not yet started: a traffic_server with libssl's cache off (0), libssl's (1) or its own (2).
func newTrafficServer(mode int) func(t *testing.T, dir string, env []string) *harness.Program {
	return func(t *testing.T, dir string, env []string) *harness.Program {
		t.Helper()
		if _, err := harness.CertAndKey(dir); err != nil {
			t.Fatal(err)
		}
		port := freePort(t)
		files := map[string]string{
			"runroot.yaml": `prefix: DIR
exec_prefix: DIR
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: DIR/etc
datadir: DIR/cache
includedir: DIR
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
localstatedir: DIR
runtimedir: DIR/run
logdir: DIR/log
cachedir: DIR/cache
`,
			"etc/records.config": fmt.Sprintf(`CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.crash_log_helper STRING NULL
CONFIG proxy.config.http.server_ports STRING %d:ssl:ip-in=127.0.0.1
CONFIG proxy.config.http.cache.http INT 0
CONFIG proxy.config.ssl.server.cert.path STRING DIR
CONFIG proxy.config.ssl.server.private_key.path STRING DIR
CONFIG proxy.config.ssl.session_cache INT %d
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 2
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.ssl.server.session_ticket.enable INT 0
`, port, mode),
			"etc/ssl_multicert.config": "dest_ip=* ssl_cert_name=server.pem ssl_key_name=server.pem\n",
			"etc/remap.config":         fmt.Sprintf("map / http://127.0.0.1:%d/\n", harness.Backend(t)),
			"etc/storage.config":       "DIR/cache 16M\n",
			"etc/ip_allow.yaml":        "ip_allow:\n  - apply: in\n    ip_addrs: 127.0.0.1\n    action: allow\n    methods: ALL\n",
			"etc/plugin.config":        "",
			"cache/empty":              "",
			"run/empty":                "",
			"log/diags.log":            "",
		}
		for name, text := range files {
			files[name] = strings.ReplaceAll(text, "DIR", dir)
		}
		write(t, dir, files)
		return &harness.Program{
			Dir: dir, Port: port, Env: env, Line: []string{"/usr/bin/traffic_server", "--run-root=" + filepath.Join(dir, "runroot.yaml")},
			StopWith: syscall.SIGTERM, Logs: []string{filepath.Join(dir, "log", "diags.log")}, Problem: regexp.MustCompile(`ERROR|FATAL`),
		}
	}
}

// Whatever cache Traffic Server has, none (0), libssl's (1) or its own (2): the same are resumed with gosess and without.
func TestTrafficServer(t *testing.T) {
	for mode := range 3 {
		t.Run(fmt.Sprint("session_cache ", mode), func(t *testing.T) {
			t.Parallel()
			harness.Alike(t, func(t *testing.T, dir string, env []string) string {
				p := newTrafficServer(mode)(t, dir, env)
				start(t, p)
				defer end(t, p)
				return returns(t, p.Port)
			})
		})
	}
}

// A Traffic Server without gosess that has exported keys resumes the tickets of another one that had them, and one with those of the
// next period does. (The other one had the same place.)
func TestTrafficServerWithExportedKeys(t *testing.T) {
	t.Parallel()
	harness.NeedBuild(t)
	dir := harness.TempDir(t)
	now, later := harness.TicketFiles(t, "ats", dir)
	other, _ := harness.TicketFiles(t, "ats", harness.TempDir(t))
	p := newTrafficServer(0)(t, dir, nil)
	records := filepath.Join(dir, "etc", "records.config")
	plain := strings.Replace(read(t, records), "session_ticket.enable INT 0", "session_ticket.enable INT 1", 1)
	with := func(keys string) {
		write(t, dir, map[string]string{"etc/records.config": plain + "CONFIG proxy.config.ssl.server.ticket_key.filename STRING " + keys + "\n"})
		start(t, p)
	}
	with(now)
	pool := func(version string) string { return filepath.Join(dir, "sessions"+version) }
	for _, version := range []string{"1.2", "1.3"} {
		if r, err := harness.Load(p.Port, "--tls", version, "--sessions", "10", "--attempts", "0", "--save", pool(version)); err != nil || r.Errors != 0 {
			t.Fatal(err, r.Said)
		}
	}
	for _, step := range []struct {
		keys string
		want int
	}{{now, 20}, {later, 20}, {other, 0}} {
		end(t, p)
		with(step.keys)
		for _, version := range []string{"1.2", "1.3"} {
			if r, err := harness.Load(p.Port, "--tls", version, "--load", pool(version), "--attempts", "20"); err != nil || r.Errors != 0 || r.Resumed != step.want {
				t.Errorf("TLS %s, %s: resumed %d of %d: %v\n%s", version, step.keys, r.Resumed, r.Attempts, err, r.Said)
			}
		}
	}
	end(t, p)
}
