package httpd_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

const core = "libgosess-core.so"

// signals is what a process and its threads do with signals.
type signals struct {
	harness.Signals
	blocked []string // by each thread, sorted
}

func signalsOf(p harness.Process) signals {
	s := signals{p.Signals(), p.ThreadStatus("SigBlk")}
	slices.Sort(s.blocked)
	return s
}

// without removes one element for each of less, and says whether all of them were there.
func without(all, less []string) (rest []string, ok bool) {
	rest = slices.Clone(all)
	for _, one := range less {
		i := slices.Index(rest, one)
		if i < 0 {
			return rest, false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return rest, true
}

// The Go half is in the children alone. Handlers and masks of httpd's own threads are what they are without
// it, and its threads take none of the signals that have a handler, or that an administrator may send.
func TestSignalsAreHTTPDsOwn(t *testing.T) {
	s := newServer(t)
	env := s.Env
	s.Env = nil
	s.do(s.Start)
	s.load("--tls", "1.3", "--sessions", "50", "--attempts", "200") // all threads are there by then
	parent, child := signalsOf(s.Master()), signalsOf(s.Workers()[0])
	s.do(s.Stop)
	s.Env = env
	s.do(s.Start)
	s.load("--tls", "1.3", "--sessions", "50", "--attempts", "200")
	if got := signalsOf(s.Master()); s.Master().Maps(core) || !equal(got, parent) {
		t.Errorf("the parent: %+v without gosess, %+v with it", parent, got)
	}
	for _, worker := range s.Workers() {
		got := signalsOf(worker)
		ours, ok := without(got.blocked, child.blocked)
		if !worker.Maps(core) || got.Signals != child.Signals || !ok || len(ours) == 0 {
			t.Errorf("a child: %+v without gosess, %+v with it", child, got)
		}
		for _, mask := range ours {
			bits, err := strconv.ParseUint(mask, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
				syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTERM, syscall.SIGURG, syscall.SIGWINCH} {
				if bits>>(signal-1)&1 == 0 {
					t.Errorf("a thread of gosess takes %v", signal)
				}
			}
		}
	}
}

// Handlers, their flags and their masks are httpd's in a child that has the Go half.
func TestHandlersAreHTTPDsOwn(t *testing.T) {
	for _, mpm := range []string{"event", "prefork"} {
		t.Run(mpm, func(t *testing.T) {
			t.Parallel()
			handlers := func(preloaded bool) harness.Handlers {
				s := newServer(t)
				s.MPM = mpm
				if !preloaded {
					s.Env = nil
				}
				dir := filepath.Join(s.Dir, "handlers")
				s.do(func() error { return os.Mkdir(dir, 0o777) })
				s.do(func() error { return os.Chmod(dir, 0o777) })
				env, err := harness.PreloadHandlers(s.Env, s.Dir, filepath.Join(dir, "child"))
				s.do(func() error { return err })
				s.Env = env
				s.do(s.Start)
				s.load("--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
				found, err := harness.ReadHandlers(filepath.Join(dir, "child"))
				s.do(func() error { return err })
				return found
			}
			for _, change := range handlers(false).Changed(handlers(true)) {
				t.Error(change)
			}
		})
	}
}

func equal(a, b signals) bool {
	return a.Signals == b.Signals && slices.Equal(a.blocked, b.blocked)
}

// What an administrator sends to the parent, while clients come: USR1 and HUP replace the children, WINCH
// and TERM end everything. Only HUP and TERM may cut a connection.
func TestSignalsDoTheirWork(t *testing.T) {
	for _, test := range []struct {
		signal syscall.Signal
		ends   bool
		cuts   bool
	}{{syscall.SIGUSR1, false, false}, {syscall.SIGHUP, false, true}, {syscall.SIGWINCH, true, true}, {syscall.SIGTERM, true, true}} {
		t.Run(test.signal.String(), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.do(s.Start)
			stop, done := make(chan bool), make(chan harness.Result)
			go func() { done <- s.loadUntil(stop) }()
			s.do(func() error {
				return harness.WaitFor("clients", func() bool { return s.stats()[sessioncache.Hits] > 100 })
			})
			parent, old := s.Master(), s.Workers()
			s.do(func() error { return parent.Kill(test.signal) })
			s.do(func() error {
				if !test.ends {
					return s.WaitServing(old...)
				}
				return harness.WaitFor("httpd to end", func() bool {
					return !parent.Alive() && !slices.ContainsFunc(old, harness.Process.Alive)
				})
			})
			close(stop)
			r := <-done
			if r.Errors != 0 && !test.cuts {
				t.Errorf("%d errors:\n%s", r.Errors, r.Said)
			}
			if !test.ends {
				s.load("--tls", "1.3", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
			}
		})
	}
}

// loadUntil runs the load client until it is told to stop, and adds up what it counts.
func (s *server) loadUntil(stop chan bool) harness.Result {
	var all harness.Result
	for {
		r, err := harness.Load(s.Port(), "--tls", "1.3", "--sessions", harness.Times(20), "--attempts", harness.Times(200))
		all.Errors += r.Errors
		all.Said += r.Said
		if err != nil {
			all.Errors++
			all.Said += err.Error()
		}
		select {
		case <-stop:
			return all
		default:
		}
	}
}

// A server with a mistake in its environment says so once, on stderr when it is started, and serves without
// a cache. Its configuration test says the same.
func TestMistake(t *testing.T) {
	t.Parallel()
	for cache, says := range map[string]string{
		"shmm:":                  `unknown scheme "shmm"`,
		"shm:?sice=64m":          `"sice"`,
		"shm:/nowhere/at/all/it": "/nowhere/at/all/it",
	} {
		for what, run := range map[string]func(*server) error{
			"configuration test": func(s *server) error { return s.Test() },
			"start":              func(s *server) error { return s.Start() },
		} {
			t.Run(what+" "+cache, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				s.says = says
				var err error
				s.Env, err = harness.Preload(cache)
				s.do(func() error { return err })
				s.do(func() error { return run(s) })
				if lines := s.Problems(); len(lines) != 1 || !strings.Contains(lines[0], "gosess: [") || !strings.Contains(lines[0], says) {
					t.Errorf("what is said is %q", lines)
				}
				if errors, _ := os.ReadFile(s.ErrorLog()); strings.Contains(string(errors), "gosess") {
					t.Error("it is said in the error log, and not on stderr")
				}
				if what == "start" {
					wanted(t, "without a cache", false, s.load("--tls", "1.2", "--sessions", "10", "--attempts", "20"))
				}
			})
		}
	}
}
