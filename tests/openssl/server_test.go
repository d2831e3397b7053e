// Package openssl_test runs OpenSSL's own programs, of every version of libssl, with gosess
// preloaded into the server.
package openssl_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// bench is a place where servers of one version and one certificate are started.
type bench struct {
	t           *testing.T
	v           versions.Installed
	openssl     string
	certificate harness.Certificate
}

func newBench(t *testing.T, v versions.Installed) *bench {
	t.Helper()
	authority, err := harness.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue("first.test")
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, v, v.OpenSSL(t), certificate}
}

// A cache is a way in which s_server keeps sessions.
type cache struct {
	name    string
	options []string // of s_server
	url     string   // options of the store's URL
	reuses  bool     // sessions of this process
	shares  bool     // and those of another one, through gosess
	ours    uint64   // how many of one hit are gosess's
}

var caches = []cache{
	{name: "internal", reuses: true, shares: true, ours: 1},                                          // gosess is that cache
	{name: "ext_cache", options: []string{"-ext_cache"}, reuses: true},                               // theirs has the last word
	{name: "tier", options: []string{"-ext_cache"}, url: "&tier=second", reuses: true, shares: true}, // theirs answers first
	{name: "no_cache", options: []string{"-no_cache"}},
}

// hasItsOwn says whether s_server looks sessions up itself.
func (c cache) hasItsOwn() bool { return len(c.options) != 0 && c.reuses }

// issues says whether a client gets a session at all: without a cache, TLS 1.2 has no id to give.
func (c cache) issues(tls string) bool { return c.reuses || tls == "-tls1_3" }

// each runs a test for every version of libssl and of TLS, and for every cache; the version of
// TLS is an option of s_server.
func each(t *testing.T, test func(b *bench, tls string, c cache)) {
	versions.Few(t, func(t *testing.T, v versions.Installed) {
		for _, tls := range []string{"-tls1_2", "-tls1_3"} {
			for _, c := range caches {
				t.Run(tls[1:]+" "+c.name, func(t *testing.T) { test(newBench(t, v), tls, c) })
			}
		}
	})
}

func preload(t *testing.T, url string) []string {
	t.Helper()
	environment, err := harness.Preload(url)
	if err != nil {
		t.Fatal(err)
	}
	return environment
}

// program is a running openssl. It reads commands from a pipe, and ends with the test.
type program struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdin          io.WriteCloser
	stdout, stderr string // files
	ended          chan error
}

func (b *bench) start(environment []string, arguments ...string) *program {
	b.t.Helper()
	dir := b.t.TempDir()
	p := &program{t: b.t, ended: make(chan error, 1), stdout: filepath.Join(dir, "stdout"), stderr: filepath.Join(dir, "stderr")}
	p.cmd = b.v.Command(b.t, environment, b.openssl, arguments...)
	stdout, err := os.Create(p.stdout)
	if err != nil {
		b.t.Fatal(err)
	}
	defer stdout.Close()
	stderr, err := os.Create(p.stderr)
	if err != nil {
		b.t.Fatal(err)
	}
	defer stderr.Close()
	p.cmd.Stdout, p.cmd.Stderr = stdout, stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		b.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	b.t.Cleanup(p.kill)
	return p
}

// kill ends it, by its id, where it still runs.
func (p *program) kill() {
	p.cmd.Process.Kill() // an error where it has ended
	p.end()
}

// end waits for its end, and returns how it went.
func (p *program) end() error {
	select {
	case err := <-p.ended:
		p.ended <- err // for who asks again
		return err
	case <-time.After(harness.Patience):
		p.t.Errorf("%s does not end", p.cmd.Args)
		return nil
	}
}

// quit asks s_client to say goodbye and end.
func (p *program) quit() {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, "Q\n"); err != nil {
		p.t.Fatal(err)
	}
	if err := p.end(); err != nil {
		p.t.Fatalf("s_client: %v\n%s", err, p.said())
	}
}

func (p *program) read(file string) string {
	p.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// said is all that it wrote.
func (p *program) said() string {
	p.t.Helper()
	return p.read(p.stdout) + "-- stderr:\n" + p.read(p.stderr)
}

func (p *program) wait(what string, done func() bool) {
	p.t.Helper()
	if err := harness.WaitFor(what, done); err != nil {
		p.t.Fatalf("%v\n%s", err, p.said())
	}
}

// server is an openssl s_server without tickets that carry sessions.
type server struct {
	*program
	address string
}

var accepts = regexp.MustCompile(`(?m)^ACCEPT (127\.0\.0\.1:\d+)$`)

func (b *bench) serve(environment []string, arguments ...string) *server {
	b.t.Helper()
	s := &server{program: b.start(environment, append([]string{"s_server", "-accept", "127.0.0.1:0",
		"-cert", b.certificate.Cert, "-key", b.certificate.Key, "-no_ticket", "-num_tickets", "1"}, arguments...)...)}
	s.wait("a server that accepts", func() bool {
		if found := accepts.FindStringSubmatch(s.read(s.stdout)); found != nil {
			s.address = found[1]
		}
		return s.address != ""
	})
	return s
}

// finish waits for a server that ends by itself, and returns what it wrote, without what
// differs from run to run.
func (s *server) finish() string {
	s.t.Helper()
	if err := s.end(); err != nil {
		s.t.Fatalf("s_server: %v\n%s", err, s.said())
	}
	said := strings.ReplaceAll(s.said(), s.address, "ADDRESS")
	return sessions.ReplaceAllString(said, "SESSION")
}

var (
	sessions = regexp.MustCompile(`(?s)-----BEGIN SSL SESSION PARAMETERS-----.*?-----END SSL SESSION PARAMETERS-----`)
	kinds    = regexp.MustCompile(`(?m)^(New|Reused), TLSv`)
)

// obtain makes one connection and returns the file of the session that the client got; "" where
// it cannot get one.
func (b *bench) obtain(s *server, issues bool) string {
	b.t.Helper()
	file := ""
	if issues {
		file = filepath.Join(b.t.TempDir(), "session")
	}
	if b.connect(s, "", file) {
		b.t.Error("resumed nothing")
	}
	return file
}

// resume makes one connection in which the client offers the session of a file, and says whether
// it was resumed. It too takes a session where the server sends one: a client that leaves with
// bytes unread resets the connection.
func (b *bench) resume(s *server, tls, file string) bool {
	b.t.Helper()
	next := ""
	if tls == "-tls1_3" {
		next = file + ".next"
	}
	return b.connect(s, file, next)
}

// connect makes one connection with s_client, which offers the session of a file and waits for
// one that it writes to another, if any. It says whether the offered one was resumed.
func (b *bench) connect(s *server, offered, wanted string) (reused bool) {
	b.t.Helper()
	arguments := []string{"s_client", "-connect", s.address}
	if offered != "" {
		arguments = append(arguments, "-sess_in", offered)
	}
	if wanted != "" {
		arguments = append(arguments, "-sess_out", wanted)
	}
	client := b.start(nil, arguments...)
	var kind []string
	client.wait("a handshake", func() bool {
		kind = kinds.FindStringSubmatch(client.read(client.stdout))
		return kind != nil
	})
	reused = kind[1] == "Reused"
	if wanted != "" {
		// In TLS 1.3 it comes after the handshake.
		client.wait("a session", func() bool {
			text, _ := os.ReadFile(wanted)
			return strings.Contains(string(text), "-----END SSL SESSION PARAMETERS-----\n")
		})
	}
	client.quit()
	return reused
}
