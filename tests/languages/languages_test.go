// Package languages_test runs servers in Python, Perl, Ruby, PHP and JavaScript, whose bindings of libssl are loaded at run time
// and see nothing of it (RTLD_LOCAL), with gosess preloaded.
package languages_test

import (
	"bytes"
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

// process is one run of a server, whose end is part of what is tested.
type process struct {
	*exec.Cmd
	t      *testing.T
	port   int
	output bytes.Buffer
}

func start(t *testing.T, interpreter, script, pem string, env []string) *process {
	t.Helper()
	return startCommand(t, env, func(port string) *exec.Cmd {
		return exec.Command(interpreter, filepath.Join("testdata", script), port, pem)
	})
}

// startCommand starts what serves at the port that it is told.
func startCommand(t *testing.T, env []string, command func(port string) *exec.Cmd) *process {
	t.Helper()
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: command(strconv.Itoa(port)), t: t, port: port}
	p.Env = append(p.Environ(), env...)
	p.Stdout, p.Stderr = &p.output, &p.output
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
		if t.Failed() {
			t.Logf("%q:\n%s", p.Args, &p.output)
		}
	})
	err = harness.WaitFor(p.Path, func() bool {
		r, err := harness.Load(port, "--sessions", "1", "--attempts", "0")
		return err == nil && r.Errors == 0
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) load(arguments ...string) harness.Result {
	p.t.Helper()
	return harness.Loaded(p.t, p.port, append(arguments, "--threads", "1")...)
}

// end asks the interpreter to end, which it must do by itself, and without a word of gosess.
func (p *process) end() {
	p.t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		p.t.Errorf("it ended with %v", err)
	}
	if strings.Contains(p.output.String(), "gosess") {
		p.t.Error("gosess has something to say")
	}
}

// calls is how often the server's own callbacks were called, as it says when it ends.
func (p *process) calls() (made, got int) {
	p.t.Helper()
	if _, err := fmt.Sscanf(p.output.String(), "new %d get %d", &made, &got); err != nil {
		p.t.Errorf("%q: %v", p.output.String(), err)
	}
	return made, got
}

// What a process has made is resumed, by itself and by the next one, and its own callbacks are called as they
// are without gosess: for every new session, and before the store for every one that a client offers.
func TestLanguages(t *testing.T) {
	harness.NeedBuild(t)
	for interpreter, server := range map[string]struct {
		script    string
		new, gets bool // has callbacks of its own
		page      string
		option    string // that the page adds to the URL for it
	}{
		"python3": {"server.py", false, false, "languages", ""},
		"perl":    {"server.pl", true, false, "languages", "&tier=second"},
		"ruby":    {"server.rb", true, true, "languages", "&tier=second"},
		"php":     {"server.php", false, false, "php", ""},
	} {
		t.Run(interpreter, func(t *testing.T) {
			t.Parallel()
			one, two := comesBack(t, interpreter, server.script, server.page, server.option, "off")
			comesBack(t, interpreter, server.script, server.page, server.option, "on") // nothing is asked of a callback
			if !server.new {
				return
			}
			if made, got := one.calls(); made < 2*sessions || server.gets && got < 2*attempts {
				t.Errorf("its own callbacks: new %d times, get %d times", made, got)
			}
			if _, got := two.calls(); server.gets && got != 2*sessions {
				t.Errorf("its own callbacks in the next process: get %d times", got)
			}
		})
	}
}

const sessions, attempts = 20, 60

// comesBack wants all sessions resumed that are made under the page's environment, by the process that made them and by the next one.
func comesBack(t *testing.T, interpreter, script, page, option, tickets string) (one, two *process) {
	t.Helper()
	dir := harness.TempDir(t)
	pem, err := harness.CertAndKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	env, err := harness.PageEnvironment(page, dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range env {
		if strings.HasPrefix(entry, "GOSESS_CACHE=") {
			env[i] += option
		}
	}
	env = append(env, "TICKETS="+tickets)
	pool := func(version string) string { return filepath.Join(dir, "sessions-"+version) }
	one = start(t, interpreter, script, pem, env)
	for _, version := range []string{"1.2", "1.3"} {
		one.load("--tls", version, "--sessions", strconv.Itoa(sessions), "--attempts", "0", "--save", pool(version))
		if r := one.load("--tls", version, "--load", pool(version), "--attempts", strconv.Itoa(attempts)); r.Resumed != attempts {
			t.Errorf("TLS %s, tickets %s: resumed %d of %d", version, tickets, r.Resumed, r.Attempts)
		}
	}
	one.end()
	two = start(t, interpreter, script, pem, env)
	for _, version := range []string{"1.2", "1.3"} {
		if r := two.load("--tls", version, "--load", pool(version), "--attempts", strconv.Itoa(sessions)); r.Resumed != sessions {
			t.Errorf("TLS %s, tickets %s, the next process: resumed %d of %d", version, tickets, r.Resumed, r.Attempts)
		}
	}
	two.end()
	return one, two
}

// What the page has a PHP program say is what the one that is tested here says.
func TestPagePHP(t *testing.T) {
	lines, err := harness.PageLines("php", `"verify_peer"`)
	if err != nil || len(lines) != 1 {
		t.Fatalf("%q %v", lines, err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "server.php"))
	if err != nil || !strings.Contains(string(text), lines[0]) {
		t.Errorf("server.php does not say %s: %v", lines[0], err)
	}
}
