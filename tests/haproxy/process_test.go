package haproxy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// Is each signal caught, ignored or blocked as without gosess, but for the faults that Go catches and
// hands on?
func TestSignalsAreItsOwn(t *testing.T) {
	signals := func(preloaded bool) (worker, master harness.Signals) {
		s := newServer(t)
		if !preloaded {
			s.Env = nil
		}
		s.do(s.Start)
		s.resumes("--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
		if preloaded != s.Workers()[0].Maps(core) {
			t.Errorf("the Go half is in the worker: %v", !preloaded)
		}
		return s.Workers()[0].Signals(), s.Master().Signals()
	}
	worker, master := signals(false)
	itsWorker, itsMaster := signals(true)
	if itsWorker.WithGo() != worker.WithGo() {
		t.Errorf("the worker has %x, and %x with gosess", worker, itsWorker)
	}
	if itsMaster != master {
		t.Errorf("the master has %x, and %x with gosess", master, itsMaster)
	}
	for _, signal := range []syscall.Signal{syscall.SIGURG, syscall.SIGALRM} {
		if itsWorker.Caught&(1<<(signal-1)) == 0 {
			t.Errorf("the worker does not catch %v", signal)
		}
	}
}

// Handlers, their flags and their masks are HAProxy's in a worker that has the Go half.
func TestHandlersAreItsOwn(t *testing.T) {
	handlers := func(preloaded bool) harness.Handlers {
		s := newServer(t)
		if !s.Privileged() {
			t.Skip("needs root: the worker writes in a directory of its own")
		}
		if !preloaded {
			s.Env = nil
		}
		env, err := harness.PreloadHandlers(s.Env, s.Dir, "/handlers") // in the worker's root
		s.do(func() error { return err })
		s.Env = env
		s.do(func() error { return os.Chmod(s.Root(), 0o777) })
		s.do(s.Start)
		s.load("--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
		found, err := harness.ReadHandlers(filepath.Join(s.Root(), "handlers"))
		s.do(func() error { return err })
		return found
	}
	for _, change := range handlers(false).Changed(handlers(true)) {
		t.Error(change)
	}
}

// HAProxy looks into its threads with SIGURG, and watches over them with SIGALRM (S2): each
// thread answers, while it serves.
func TestThreadsAnswer(t *testing.T) {
	thread := regexp.MustCompile(`(?m)^[ *>]+Thread (\d+) +: id=`)
	s := newServer(t)
	s.do(s.Start)
	worker := s.Workers()[0]
	loaded := make(chan harness.Result)
	go func() {
		r, _ := harness.Load(s.Port, "--tls", "1.2", "--attempts", harness.Times(4000))
		loaded <- r
	}()
	asked := 0
	for loading := true; loading; {
		answer := s.Ask("show threads")
		var threads []string
		for _, found := range thread.FindAllStringSubmatch(answer, -1) {
			threads = append(threads, found[1])
		}
		if !slices.Equal(threads, []string{"1", "2"}) {
			t.Fatalf("threads %v answer: %s", threads, answer)
		}
		asked++
		for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGURG, syscall.SIGALRM} {
			s.do(func() error { return worker.Kill(signal) })
		}
		select {
		case r := <-loaded:
			loading = false
			// Of a flood of signals HAProxy 3.0 lets one connection in thousands end without an answer, without gosess too.
			if r.Attempts == 0 || r.Errors > max(1, r.Attempts/1000) || r.Resumed != r.Attempts-r.Errors {
				t.Errorf("%+v", r)
			}
		default:
		}
	}
	t.Logf("asked %d times", asked)
	if !worker.Alive() {
		t.Error("the worker has ended")
	}
}

// Reloads cost no handshake, and leave nothing behind in the master.
func TestManyReloads(t *testing.T) {
	times := 10
	if harness.All() && system.Root == "" {
		times = 50
	}
	s := newServer(t)
	s.do(s.Start)
	s.do(s.Reload)
	before, first := s.Master().Holds(), s.Workers()[0].Holds()
	for range times {
		reloaded := make(chan error, 1)
		go func() { reloaded <- s.Reload() }()
		s.resumes("--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(200))
		s.do(func() error { return <-reloaded })
	}
	after, last := s.Master().Holds(), s.Workers()[0].Holds()
	t.Logf("the master held %+v, and %+v after %d reloads; the worker %+v and %+v", before, after, times, first, last)
	if after.Grew(before, times) || last.Descriptors-first.Descriptors >= times/2 {
		t.Error("what they hold has grown")
	}
	if n := len(s.Workers()); n != 1 {
		t.Errorf("there are %d workers", n)
	}
}

// What haproxy -c and a start say of a URL with a mistake is the same, and both go on.
func TestConfigurationTestWithABadURL(t *testing.T) {
	s := newServer(t)
	s.Env[1] = "GOSESS_CACHE=shm:?sice=64m"
	s.says = 1
	s.do(s.Test)
	for _, line := range s.Said() {
		if !strings.Contains(line, `"sice"`) || !strings.Contains(line, "size") {
			t.Errorf("the line does not say what is wrong: %s", line)
		}
	}
}
