// Package ftp_test runs unmodified FTP servers of Debian with TLS, each without gosess and with it. They want a data connection
// to resume the session of its control connection, so that nobody else takes it.
package ftp_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// client is a process that does what it is told, one line at a time.
type client struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

func newClient(t *testing.T, port int, user, version string) *client {
	t.Helper()
	cmd := exec.Command("python3", filepath.Join("testdata", "client.py"), strconv.Itoa(port), user, version)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // each of its answers was looked at
	})
	return &client{in, bufio.NewScanner(out)}
}

// do is the client's answer to a command, or that it has none.
func (c *client) do(command string) string {
	if _, err := fmt.Fprintln(c.in, command); err != nil || !c.out.Scan() {
		return fmt.Sprint("no answer: ", err)
	}
	return c.out.Text()
}

// The name is that of the server, or none: clients tell it on the control connection only, or on both, or never. The last
// two connections are those after a restart: what a name leads to is learned then, from the first one that tells it.
var visits = [][]string{
	{"login first.test", "get first.test", "get -", "quit"},
	{"login first.test", "get first.test", "get first.test", "quit"},
	{"login -", "get -", "quit"},
	{"login first.test", "get -", "quit"},
}

var restart = []string{"login -", "get first.test", "quit", "login first.test", "get first.test", "quit"}

// said is a conversation: each command, and its answer.
type said [][2]string

func (s said) String() string {
	var lines []string
	for _, line := range s {
		lines = append(lines, line[0]+": "+line[1])
	}
	return strings.Join(lines, "\n")
}

// report is what is seen of a server.
type report struct {
	talks   map[string]said
	ended   string
	system  []string // the lines of its log of sessions, without times and numbers
	gosess  []string // what gosess has said
	program *harness.Program
}

var clients = []string{"1.2-", "1.2", "1.3"}

// run has each client talk to the server, and again after a restart.
func run(t *testing.T, make func(*testing.T, site) *harness.Program, user, cache string, variables ...string) report {
	t.Helper()
	s := newSite(t)
	p := make(t, s)
	if cache != "" {
		env, err := harness.Preload(s.fill(cache))
		if err != nil {
			t.Fatal(err)
		}
		p.Env = append(append(p.Env, env...), variables...)
	}
	p.Logs = []string{s.fill("@DIR@/system.log")}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			lines := strings.Split(strings.TrimSpace(p.Log()), "\n")
			t.Logf("the end of its log:\n%s", strings.Join(lines[max(0, len(lines)-8):], "\n"))
		}
	})
	step := func(do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	r := report{talks: map[string]said{}, program: p}
	callers := map[string]*client{}
	talk := func(version string, commands []string) {
		for _, command := range commands {
			r.talks[version] = append(r.talks[version], [2]string{command, callers[version].do(command)})
		}
	}
	// A session that is about to end would be ended by the server.
	left := func() error {
		return harness.WaitFor("the sessions to end", func() bool { return len(p.Master().Children()) == 0 })
	}
	step(p.Start)
	for _, version := range clients {
		callers[version] = newClient(t, s.port, user, version)
		for _, visit := range visits {
			talk(version, visit)
		}
	}
	step(left)
	step(p.Stop)
	r.ended = p.Ended()
	step(p.Start)
	for _, version := range clients {
		talk(version, restart)
	}
	step(left)
	step(p.Stop)
	r.gosess = p.Problems()
	r.system = sessions(p.Log())
	return r
}

var varies = regexp.MustCompile(`^[-0-9]+ [0-9:,]+ .*proftpd\[[0-9]+\] `)

// sessions are the lines of ProFTPD's log, sorted: the end of a session may come after the beginning of the next one.
func sessions(log string) (lines []string) {
	for line := range strings.Lines(log) {
		if varies.MatchString(line) {
			lines = append(lines, varies.ReplaceAllString(line, ""))
		}
	}
	slices.Sort(lines)
	return lines
}

// isNoWorse wants every answer as it is without gosess, but that a control connection may resume what it did not.
func (r report) isNoWorse(t *testing.T, without report) {
	t.Helper()
	for _, version := range clients {
		for i, line := range r.talks[version] {
			was := without.talks[version][i][1]
			gained := strings.HasPrefix(line[0], "login") && was == "ok full" && line[1] == "ok resumed"
			if line[1] != was && !gained {
				t.Errorf("TLS %s, %d: %s: %s, and without gosess %s", version, i, line[0], line[1], was)
				break // what follows may come of it
			}
		}
	}
	if r.ended != without.ended {
		t.Errorf("it ended with %s, and without gosess with %s", r.ended, without.ended)
	}
	if got, want := strings.Join(r.system, ""), strings.Join(without.system, ""); got != want {
		t.Errorf("its log is\n%s, and without gosess\n%s", got, want)
	}
}

// servers are the ones that the page speaks of: what gosess may say of them, and whether there is a gain at a restart.
var servers = []struct {
	name    string
	program func(*testing.T, site) *harness.Program
	user    string
	says    *regexp.Regexp
	gains   bool
}{
	{"proftpd", proftpd("on"), "tester", nil, true}, // it changes its user after TLS, with capabilities kept
	{"proftpd without capabilities", proftpd("off"), "tester", nil, true},
	{"vsftpd", vsftpd, "anonymous", regexp.MustCompile("serving without a cache"), false},
	{"pure-ftpd", pureFTPd, "tester", regexp.MustCompile("serving without a cache"), false},
}

const file = "shm:@DIR@/store?size=4m"

func needRoot(t *testing.T) {
	harness.NeedBuild(t)
	if os.Geteuid() != 0 {
		t.Skip("they start as root")
	}
}

// No client is worse off, and no server. By the page, ProFTPD gains: clients without tickets resume their control connection's
// session, after a restart too.
func TestServers(t *testing.T) {
	needRoot(t)
	caches := harness.Few(2, []string{"memory:?size=4m", file, "shm:?size=4m"})
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			plain := run(t, server.program, server.user, "")
			for version, talk := range plain.talks {
				if strings.Contains(talk.String(), "error") {
					t.Fatalf("TLS %s, without gosess:\n%v", version, talk)
				}
			}
			for _, cache := range caches {
				t.Run(cache, func(t *testing.T) {
					got := run(t, server.program, server.user, cache)
					got.isNoWorse(t, plain)
					for _, line := range got.gosess {
						if server.says == nil || !server.says.MatchString(line) {
							t.Errorf("gosess says: %s", line)
						}
					}
					talk := got.talks["1.2-"]
					again, restarted := talk[len(visits[0])], talk[len(talk)-len(restart)]
					if resumed := "ok resumed"; server.gains && cache == file && (again[1] != resumed || restarted[1] != resumed) {
						t.Errorf("a client without tickets came back: %s, and after a restart: %s", again[1], restarted[1])
					}
				})
			}
		})
	}
}

// ProFTPD knows a control connection's session by what it puts into its ticket: gosess leaves it its tickets, whatever it was told.
func TestProFTPDKeepsItsTickets(t *testing.T) {
	needRoot(t)
	plain := run(t, proftpd("on"), "tester", "")
	for _, tickets := range []string{"stateful", "shared"} {
		run(t, proftpd("on"), "tester", file, "GOSESS_TICKETS="+tickets).isNoWorse(t, plain)
	}
}

// What the page tells an operator of ProFTPD to do does what it says.
func TestPage(t *testing.T) {
	needRoot(t)
	s := newSite(t)
	p := proftpd("on")(t, s)
	libraries := p.Env
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, way := range []string{"run", "environment"} {
		p.Through, p.Env = nil, libraries
		if way == "run" {
			p.Through = harness.PageThrough(t, "ftp", s.dir)
		} else {
			env, err := harness.PageEnvironment("ftp", s.dir)
			if err != nil {
				t.Fatal(err)
			}
			p.Env = append(env, libraries...)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		caller := newClient(t, s.port, "tester", "1.2-")
		var talk said
		for _, command := range slices.Concat(visits[1], visits[1]) {
			talk = append(talk, [2]string{command, caller.do(command)})
		}
		if again := talk[len(visits[1])]; again[1] != "ok resumed" {
			t.Errorf("%s:\n%v", way, talk)
		}
		named, err := harness.PageStore("ftp")
		if err != nil {
			t.Fatal(err)
		}
		words, err := harness.PageCommand("ftp", "gosess stats", named, s.fill("@DIR@/store"))
		if err != nil {
			t.Fatal(err)
		}
		if output, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil || !strings.Contains(string(output), "hits") {
			t.Errorf("%q: %v: %s", words, err, output)
		}
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}
