package nginx_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// keyed is an nginx with a key file that its workers cannot read, and a store.
type keyed struct {
	*server
	keys, url string
}

func newKeyed(t *testing.T, more ...string) *keyed {
	t.Helper()
	s := newServer(t, "")
	k := &keyed{server: s, keys: filepath.Join(s.Dir, "keys"), url: "shm:" + filepath.Join(s.Dir, "store")}
	must(t, os.WriteFile(k.keys, []byte(k.gosess("keygen")), 0o600))
	env, err := harness.Preload(k.url + "?size=4m&keys=" + k.keys)
	must(t, err)
	s.Env = append(env, more...)
	s.Sites[0].Directives = "ssl_session_timeout 1h;"
	return k
}

// gosess runs the command.
func (k *keyed) gosess(arguments ...string) string {
	k.t.Helper()
	program, err := harness.Built("gosess")
	must(k.t, err)
	stdout, stderr, err := harness.Execute(nil, program, arguments...)
	if err != nil {
		k.t.Fatalf("gosess %q: %v, %s", arguments, err, stderr)
	}
	return stdout
}

// changeKeys runs a command for the key file, and wants so many lines in it then.
func (k *keyed) changeKeys(command string, lines int) {
	k.t.Helper()
	k.gosess("keys", command, k.keys, k.url)
	text, err := os.ReadFile(k.keys)
	must(k.t, err)
	if n := strings.Count(string(text), "\n"); n != lines {
		k.t.Fatalf("%d keys after %s", n, command)
	}
}

// under has clients make sessions and resume all of them, at once, until done has returned. Turn waits until each of them has begun anew
// and ended: nobody comes with what is older then.
func (k *keyed) under(version string, done func(turn func())) {
	k.t.Helper()
	const clients = 2
	var all sync.WaitGroup
	var over atomic.Bool
	var rounds [clients]atomic.Int64
	for n := range clients {
		all.Go(func() {
			for !over.Load() {
				r, err := harness.Load(k.Port(), few(version, "--sni", "first.test", "--threads", "2")...)
				if err != nil || r.Errors != 0 || r.Resumed != r.Attempts && !harness.LostOf(k.t, r, k.Env, k) {
					k.t.Errorf("TLS %s: resumed %d of %d, %d errors, %v: %s", version, r.Resumed, r.Attempts, r.Errors, err, r.Said)
				}
				rounds[n].Add(1)
			}
		})
	}
	done(func() {
		for n := range clients {
			until := rounds[n].Load() + 2
			k.do(func() error { return harness.WaitFor("clients", func() bool { return rounds[n].Load() >= until }) })
		}
	})
	over.Store(true)
	all.Wait()
}

// Sealing keys change under load, without a reload, while the workers cannot read the key file: no session is lost before the old key
// goes, and none that it has sealed is accepted afterwards. A worker that its master forks anew knows what the others know.
func TestKeysRotate(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		t.Parallel()
		k := newKeyed(t)
		k.do(k.Start)
		sni := []string{"--sni", "first.test"}
		old := k.pool(version, sni...)
		var made []string
		k.under(version, func(turn func()) {
			turn()
			k.changeKeys("rotate", 2)
			k.resumes(old...)
			turn()
			made = k.pool(version, sni...)
			turn()
			k.changeKeys("drop", 1)
			k.refuses(old...)
			k.resumes(made...)
			turn()
		})
		before := k.Workers()
		k.expects = "exited on signal 9"
		must(t, before[0].Kill(syscall.SIGKILL))
		k.do(func() error { return k.WaitServing(before[0]) })
		k.refuses(old...)
		k.resumes(made...)
		k.do(k.Reload)
		k.refuses(old...)
		k.resumes(made...)
		k.do(k.Stop)
		k.do(k.Start)
		k.refuses(old...)
		k.resumes(made...)
	})
}

// The secrets of tickets are sealed too: what was sealed under one of them that only the old key opens is accepted no more, although
// nobody asks the Go half for a ticket.
func TestKeysOfTicketsRotate(t *testing.T) {
	harness.OnlyWhereAll(t) // it waits for a minute to pass
	t.Parallel()
	k := newKeyed(t, "GOSESS_TICKETS=shared")
	k.Tickets = true
	k.do(k.Start)
	old := [][]string{k.pool("1.2"), k.pool("1.3")}
	k.changeKeys("rotate", 2)
	for _, arguments := range old {
		k.resumes(arguments...)
	}
	k.changeKeys("drop", 1)
	refused := func() bool {
		for _, arguments := range old {
			if k.load(append(arguments, "--attempts", "40")...).Resumed != 0 {
				return false
			}
		}
		return true
	}
	if harness.WaitFor("half of the time", refused) != nil { // it takes a worker a minute
		k.do(func() error { return harness.WaitFor("the old tickets to be refused", refused) })
	}
	k.resumes(few("1.2")...)
	k.resumes(few("1.3")...)
}
