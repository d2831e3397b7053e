package doctor_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// haproxyKeys is the text of a file of one key, three times.
func haproxyKeys(key []byte) string {
	return strings.Repeat(base64.StdEncoding.EncodeToString(key)+"\n", 3)
}

// One HAProxy with a frontend for each way to configure it, and one without a cache.
func TestHAProxy(t *testing.T) {
	t.Parallel()
	h, err := harness.NewHAProxy(harness.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	h.Tickets = true
	frontend := func(options string) (port int) {
		port, err := harness.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		h.Sections += fmt.Sprintf("frontend at%d\n    bind 127.0.0.1:%d ssl crt %s ssl-min-ver TLSv1.2 %s\n"+
			"    http-request return status 200 content-type text/plain string ok\n", port, port, h.CertAndKey(), options)
		return port
	}
	keys := func(name string, key []byte) string {
		return "tls-ticket-keys " + keyFile(t, h.Dir, name, []byte(haproxyKeys(key)))
	}
	questions := []question{
		{name: "default", ports: []int{h.Port}},
		{name: "as its page", ports: []int{frontend("no-tls-tickets")}},
		{name: "key file", ports: []int{frontend(keys("random", random(t, 48)))}, codes: []string{"no-ticket-on-resumption"},
			lines: []string{"no-tls-tickets", "Environment=GOSESS_TICKETS=shared"}},
		{name: "zero key", ports: []int{frontend(keys("zero", make([]byte, 48)))}, codes: []string{"default-key", "no-ticket-on-resumption"},
			lines: []string{"openssl rand -base64 48"}},
		{name: "early data", ports: []int{frontend("allow-0rtt")}, codes: []string{"replayable"}, lines: []string{"allow-0rtt"}},
	}
	without, err := harness.NewHAProxy(harness.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	without.Global = "tune.ssl.cachesize 0"
	questions = append(questions, question{name: "no cache", ports: []int{without.Port}, codes: []string{"no-session", "not-resumed/cache"},
		lines: []string{"tune.ssl.cachesize 20000"}})
	for i := range questions {
		questions[i].server = "haproxy"
	}
	started(t, h)
	started(t, without)
	ask(t, questions...)
}

// One httpd with a virtual host for each way to configure it, and one without a cache.
func TestHTTPD(t *testing.T) {
	t.Parallel()
	h, err := harness.NewHTTPD(harness.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	h.SSL = "SSLSessionCache shmcb:" + filepath.Join(h.Dir, "cache") + "(512000)"
	h.Sites[0].Directives = "SSLSessionTickets off"
	site, err := h.AddSite("first.test")
	if err != nil {
		t.Fatal(err)
	}
	site.Directives = "SSLSessionTicketKeyFile " + keyFile(t, h.Dir, "random48", random(t, 48))
	questions := []question{
		{name: "default", ports: []int{h.Port()}, server: "httpd"},
		{name: "key file", ports: []int{site.Port}, server: "httpd", codes: []string{"default-mac-key", "no-ticket-on-resumption"},
			lines: []string{"# take the line SSLSessionTicketKeyFile away", "Environment=GOSESS_TICKETS=shared"}},
	}
	without, err := harness.NewHTTPD(harness.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	without.SSL = "SSLSessionCache none\nSSLSessionTickets off"
	questions = append(questions, question{name: "no cache", ports: []int{without.Port()}, server: "httpd",
		codes: []string{"no-session", "not-resumed/cache"}, lines: []string{"SSLSessionCache shmcb:"}})
	started(t, h)
	started(t, without)
	ask(t, questions...)
}

// hitch has a cache in each worker, and one session id context for all names. It is not recognised: it says nothing itself.
func TestHitch(t *testing.T) {
	t.Parallel()
	dir := harness.TempDir(t)
	pems := make([]string, 2)
	for n, name := range []string{"first.test", "second.test"} {
		var err error
		if pems[n], err = harness.CertAndKeyOf(filepath.Join(dir, name), name); err != nil {
			t.Fatal(err)
		}
	}
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("frontend = \"[127.0.0.1]:%d\"\nbackend = \"[127.0.0.1]:%d\"\nworkers = 4\ndaemon = on\nocsp-dir = \"\"\n"+
		"pem-file = %q\npem-file = %q\n", port, harness.Backend(t), pems[1], pems[0])
	config, pid := keyFile(t, dir, "hitch.conf", []byte(text)), filepath.Join(dir, "hitch.pid")
	p := &harness.Program{Dir: dir, Port: port, Line: []string{"/usr/sbin/hitch", "--config", config, "--pidfile", pid}, PidFile: pid,
		WorkerCount: 4, StopWith: syscall.SIGTERM}
	if os.Geteuid() == 0 {
		p.Line = append(p.Line, "--user", "_hitch", "--group", "_hitch")
	}
	started(t, p)
	ask(t,
		question{name: "one name", ports: []int{port}, more: []string{"--sni", "first.test", "--server", "hitch"}, server: "hitch",
			codes: []string{"partly-resumed/cache"}, lines: []string{"Environment=GOSESS_CACHE="}},
		question{name: "two names", ports: []int{port}, more: []string{"--sni", "first.test", "--sni", "second.test"},
			codes: []string{"crosses-names", "partly-resumed/cache"}, lines: []string{"Environment=GOSESS_TICKETS=shared"}})
}

// stunnel keeps sessions in its one process.
func TestStunnel(t *testing.T) {
	t.Parallel()
	dir := harness.TempDir(t)
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	ports := make([]int, 2)
	text := "foreground = yes\npid =\n"
	for n, line := range []string{"", "sessionResume = no\noptions = NO_TICKET\n"} {
		if ports[n], err = harness.FreePort(); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("[at%d]\naccept = 127.0.0.1:%d\nconnect = 127.0.0.1:%d\ncert = %s\n%s", n, ports[n], harness.Backend(t), pem, line)
	}
	p := &harness.Program{Dir: dir, Port: ports[0], StopWith: syscall.SIGTERM,
		Line: []string{"/usr/bin/stunnel4", keyFile(t, dir, "stunnel.conf", []byte(text))}}
	started(t, p)
	ask(t,
		question{name: "default", ports: ports[:1], more: []string{"--server", "stunnel"}, server: "stunnel"},
		question{name: "no", ports: ports[1:], more: []string{"--server", "stunnel"}, server: "stunnel",
			codes: []string{"no-session"}, lines: []string{"sessionResume = yes"}})
}

// uvicorn's workers make keys of their own.
func TestUvicorn(t *testing.T) {
	t.Parallel()
	dir := harness.TempDir(t)
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("uvicorn")
	if err != nil {
		t.Fatal(err)
	}
	application := "async def app(scope, receive, send):\n" +
		"    if scope['type'] == 'http':\n" +
		"        await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n" +
		"        await send({'type': 'http.response.body', 'body': b''})\n"
	keyFile(t, dir, "app.py", []byte(application))
	p := &harness.Program{Dir: dir, Port: port, StopWith: syscall.SIGTERM, Line: []string{program, "--app-dir", dir, "--port", strconv.Itoa(port),
		"--workers", "4", "--ssl-keyfile", pem, "--ssl-certfile", pem, "--log-level", "critical", "app:app"}}
	started(t, p)
	err = harness.WaitFor("several workers to serve", func() bool {
		r, err := harness.Load(port, "--sessions", "4", "--attempts", "40")
		return err == nil && r.Errors == 0 && r.Resumed < 40
	})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, question{name: "four workers", ports: []int{port}, server: "uvicorn",
		codes: []string{"partly-resumed/cache", "partly-resumed/keys"}, lines: []string{"Environment=GOSESS_TICKETS=stateful"}})
}
