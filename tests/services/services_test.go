// Package services_test runs unmodified servers of Debian, of several kinds, with gosess preloaded.
package services_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// end ends a server that is no daemon, which must have lived till then, end well, and have said nothing that it should not.
func end(t *testing.T, p *harness.Program) {
	t.Helper()
	alive := p.Master().Alive()
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if how := p.Ended(); !alive || how != "exit status 0" {
		t.Errorf("%s ended with %q, by itself: %v", p.Line[0], how, !alive)
	}
	for _, line := range p.Problems() {
		t.Errorf("log: %s", line)
	}
	if t.Failed() {
		t.Logf("log:\n%s", p.Log())
	}
}

func start(t *testing.T, p *harness.Program) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

// write writes files into a directory, by their names.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// read is the text of a file.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := harness.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// returns lets each kind of client come back, 40 times: how many were resumed of how many.
func returns(t *testing.T, port int, arguments ...string) (account string) {
	t.Helper()
	for _, client := range harness.Clients {
		all := append(append([]string{"--tls", client.Version, "--sessions", "10", "--attempts", "40"}, client.Arguments...), arguments...)
		r, err := harness.Load(port, all...)
		if err != nil {
			t.Fatal(err)
		}
		account += fmt.Sprintf("%s: resumed %d of %d, %d errors\n%s", client.Name, r.Resumed, r.Attempts, r.Errors, r.Said)
	}
	return account
}

// What gosess stats shows of a store that has answered, and of one that was only filled.
var (
	hits   = regexp.MustCompile(`(?m)^ +all +[1-9]`)
	stores = regexp.MustCompile(`(?m)^ +all +\d+ +\d+ +[\d.]+ +[1-9]`)
)

// stored is how many sessions a store has taken, 0 where there is none yet.
func stored(store string) uint64 {
	stats, err := harness.ReadStats(store)
	if err != nil {
		return 0
	}
	return stats[sessioncache.Stores]
}

// gains wants all sessions resumed under the environment of a server's page, by that server and by one that is started after it.
// Few visits: some servers take a third of a second for each. What the page's gosess stats shows then must match.
func gains(t *testing.T, page string, counted *regexp.Regexp, newServer func(t *testing.T, dir string, env []string) *harness.Program,
	arguments ...string) {
	t.Helper()
	t.Parallel()
	harness.NeedBuild(t)
	dir := harness.TempDir(t)
	env, err := harness.PageEnvironment(page, dir)
	if err != nil {
		t.Fatal(err)
	}
	p := newServer(t, dir, env)
	store := "shm:" + filepath.Join(dir, "store")
	load := func(client harness.Client, more ...string) harness.Result {
		t.Helper()
		all := append(append([]string{"--tls", client.Version}, client.Arguments...), arguments...)
		return harness.Loaded(t, p.Port, append(all, more...)...)
	}
	resumes := func(client harness.Client, more ...string) {
		t.Helper()
		r := load(client, more...)
		if r.Attempts == 0 || r.Resumed != r.Attempts && !harness.Lost(t, r, store) {
			t.Errorf("%s, %v: resumed %d of %d\n%s", client.Name, more, r.Resumed, r.Attempts, r.Said)
		}
	}
	pool := func(i int) string { return filepath.Join(dir, fmt.Sprint("sessions", i)) }
	start(t, p)
	for i, client := range harness.Clients {
		before := stored(store)
		load(client, "--sessions", "4", "--attempts", "0", "--save", pool(i))
		if slices.Contains(env, "GOSESS_TICKETS=stateful") {
			// A client that asks nothing may be back, at another process, before the server has stored what it gave out last.
			err := harness.WaitFor("four sessions to be stored", func() bool { return stored(store) >= before+4 })
			if err != nil {
				t.Fatal(err)
			}
		}
		resumes(client, "--load", pool(i), "--attempts", "6", "--save", pool(i))
	}
	end(t, p)
	start(t, p)
	for i, client := range harness.Clients {
		resumes(client, "--load", pool(i), "--attempts", "6")
	}
	end(t, p)
	named, err := harness.PageStore(page)
	if err != nil {
		t.Fatal(err)
	}
	words, err := harness.PageCommand(page, "gosess stats", named, filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	stats, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil || !counted.Match(stats) {
		t.Errorf("%q: %v: %s", words, err, stats)
	}
}
