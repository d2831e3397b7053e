package nginx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"gosess/tests/harness"
)

// underLoad takes a step while clients come, again and again until it is done; each must be
// served and resumed.
func (s *server) underLoad(step func() error) {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- step() }()
	for {
		s.resumes(few("1.2")...)
		s.resumes(few("1.3")...)
		select {
		case err := <-done:
			s.do(func() error { return err })
			return
		default:
		}
	}
}

// All signals that nginx has a use for do their work while it serves.
func TestSignalsUnderLoad(t *testing.T) {
	s, _ := withStore(t)
	s.expects = "exited on signal 9"
	s.Main = "timer_resolution 20ms; env LD_PRELOAD; env GOSESS_CACHE;" // by SIGALRM
	s.do(s.Start)
	s.underLoad(s.Reload) // HUP
	s.underLoad(s.ReopenLogs)
	s.underLoad(s.Upgrade)                                   // USR2, WINCH, QUIT
	s.do(s.Replace)                                          // CHLD; whom it served are lost with it
	s.underLoad(func() error { return s.signalEach(s.all) }) // nothing to nginx
	for _, worker := range s.Workers() {
		if worker.Signals().Caught&(1<<(syscall.SIGALRM-1)) == 0 {
			t.Error("a worker does not catch SIGALRM")
		}
	}
	processes := s.all()
	s.do(func() error { return s.Master().Kill(syscall.SIGTERM) })
	s.do(func() error { return waitGone(processes) })
}

// all is the master and its workers.
func (s *server) all() []harness.Process { return append(s.Workers(), s.Master()) }

func waitGone(processes []harness.Process) error {
	return harness.WaitFor("nginx to end", func() bool {
		return !slices.ContainsFunc(processes, harness.Process.Alive)
	})
}

// signalEach sends what they ignore, or do nothing for: 50 times each.
func (s *server) signalEach(processes func() []harness.Process) error {
	for range 50 {
		for _, p := range processes() {
			for _, signal := range []syscall.Signal{syscall.SIGURG, syscall.SIGALRM, syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGIO} {
				if err := p.Kill(signal); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Is each signal caught, ignored or blocked as without gosess, but for the faults that Go catches and
// hands on?
func TestSignalsAreItsOwn(t *testing.T) {
	signals := func(preloaded bool) (worker, master harness.Signals) {
		s := newServer(t, anonymous)
		if !preloaded {
			s.Env = nil
		}
		s.WorkerCount = 1
		s.do(s.Start)
		s.load(few("1.2")...)
		return s.Workers()[0].Signals(), s.Master().Signals()
	}
	worker, master := signals(false)
	itsWorker, itsMaster := signals(true)
	if itsWorker.WithGo() != worker.WithGo() {
		t.Errorf("a worker has %x, and %x with gosess", worker, itsWorker)
	}
	if itsMaster != master {
		t.Errorf("the master has %x, and %x with gosess", master, itsMaster)
	}
}

// Handlers, their flags and their masks are the host's in a worker that has the Go half.
func TestHandlersAreItsOwn(t *testing.T) {
	handlers := func(preloaded bool) harness.Handlers {
		s := newServer(t, anonymous)
		if !preloaded {
			s.Env = nil
		}
		dir := filepath.Join(s.Dir, "handlers")
		s.do(func() error { return os.Mkdir(dir, 0o777) })
		s.do(func() error { return os.Chmod(dir, 0o777) })
		env, err := harness.PreloadHandlers(s.Env, s.Dir, filepath.Join(dir, "worker"))
		s.do(func() error { return err })
		s.Env = env
		s.do(s.Start)
		s.load(few("1.2")...)
		found, err := harness.ReadHandlers(filepath.Join(dir, "worker"))
		s.do(func() error { return err })
		return found
	}
	for _, change := range handlers(false).Changed(handlers(true)) {
		t.Error(change)
	}
}

// The threads of a worker: as many as are promised, none of them started later, and just one, which is
// the monitor of the Go runtime, that sleeps longer than it is told to.
func TestThreads(t *testing.T) {
	const most, slack, longer = 14, 50_000, 100_000_000
	s := newServer(t, anonymous)
	s.WorkerCount = 1
	s.do(s.Start)
	s.load(few("1.2")...)
	worker := s.Workers()[0]
	threads := worker.ThreadIDs()
	if len(threads) > most {
		t.Errorf("%d threads, and not %d at most", len(threads), most)
	}
	monitors := 0
	for _, thread := range threads {
		switch got, err := worker.TimerSlack(thread); {
		case err != nil:
			t.Fatal(err)
		case got == longer:
			monitors++
		case got != slack:
			t.Errorf("the timer slack of thread %s is %d ns", thread, got)
		}
	}
	if monitors != 1 {
		t.Errorf("%d threads sleep longer", monitors)
	}
	for _, version := range []string{"1.2", "1.3"} {
		s.load("--tls", version, "--threads", "8", "--sessions", harness.Times(100), "--attempts", harness.Times(2000))
	}
	if now := worker.ThreadIDs(); !slices.Equal(now, threads) {
		t.Errorf("the threads were %v, and are %v", threads, now)
	}
}

// A worker that crashes ends as it does without gosess: by the same signal, with or without a core
// dump, and the next one serves.
func TestFaults(t *testing.T) {
	ended := regexp.MustCompile(`exited on signal .*`)
	for _, kind := range []string{"segfault", "abort"} {
		t.Run(kind, func(t *testing.T) {
			end := func(preloaded bool) string {
				s := newServer(t, anonymous)
				s.WorkerCount = 1
				s.expects = "exited on signal"
				if !preloaded {
					s.Env = []string{"LD_PRELOAD="}
				}
				compile(t, "fault.c", filepath.Join(s.Dir, "fault.so"))
				dumps := filepath.Join(s.Dir, "dumps")
				s.do(func() error { return os.Mkdir(dumps, 0o777) })
				s.do(func() error { return os.Chmod(dumps, 0o777) })
				s.Main = "worker_rlimit_core 512m; working_directory " + dumps + ";"
				s.Env[0] += ":" + filepath.Join(s.Dir, "fault.so")
				s.Env = append(s.Env, "FAULT="+filepath.Join(dumps, "fault"))
				s.do(s.Start)
				s.load(few("1.2")...)
				worker := s.Workers()[0]
				if worker.Maps(core) != preloaded {
					t.Errorf("the Go half is in the worker: %v", !preloaded)
				}
				write(t, filepath.Join(dumps, "fault"), kind)
				_, err := harness.Load(s.Port(), "--sessions", "1", "--attempts", "0")
				s.do(func() error { return err })
				s.do(func() error { return s.WaitServing(worker) })
				s.load(few("1.3")...)
				return ended.FindString(fmt.Sprint(s.Problems()))
			}
			without, with := end(false), end(true)
			t.Log(with)
			if without == "" || with != without {
				t.Errorf("%q, and with gosess %q", without, with)
			}
		})
	}
}

// Workers whose master was killed go on, and end when they are told to; the next ones have the sessions.
func TestMasterIsKilled(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, _ := withStore(t)
		s.do(s.Start)
		old := append(s.pool(version), "--attempts", harness.Times(200))
		workers := s.Workers()
		s.do(func() error { return s.Master().Kill(syscall.SIGKILL) })
		s.resumes(old...)
		for _, worker := range workers {
			s.do(func() error { return worker.Kill(syscall.SIGQUIT) })
		}
		s.do(func() error { return waitGone(workers) })
		s.do(s.Start)
		s.resumes(old...)
	})
}

// Reloads cost no handshake, and leave nothing behind.
func TestManyReloads(t *testing.T) {
	times := 10
	if harness.All() && system.Root == "" {
		times = 50
	}
	s := started(t, anonymous)
	s.do(s.Reload)
	before, first := s.Master().Holds(), s.Workers()[0].Holds()
	for range times {
		s.underLoad(s.Reload)
	}
	after, last := s.Master().Holds(), s.Workers()[0].Holds()
	t.Logf("the master held %+v, and %+v after %d reloads; a worker %+v and %+v", before, after, times, first, last)
	if after.Grew(before, times) || last.Descriptors-first.Descriptors >= times/2 {
		t.Error("what they hold has grown")
	}
}

// What a start takes more, for whom it may interest.
func TestStartIsMeasured(t *testing.T) {
	quickest := func(cache string) time.Duration {
		s := newServer(t, cache)
		if cache == "" {
			s.Env = nil
		}
		var all []time.Duration
		for range 5 {
			before := time.Now()
			s.do(s.Test)
			all = append(all, time.Since(before))
		}
		return slices.Min(all)
	}
	plain := quickest("")
	for _, cache := range []string{"memory:", "shm:?size=1m", anonymous, "shm:" + filepath.Join(system.TempDir(t), "store") + "?size=64m"} {
		t.Logf("nginx -t takes %v, with %s %v", plain, cache, quickest(cache))
	}
}
