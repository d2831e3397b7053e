// Package window_test has programs in C ask an agent through a window, and through gosess: the agent is one of this
// test, and what is far is a map.
package window_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache/window"
	"gosess/tests/harness"
)

var workshop harness.Workshop

func TestMain(m *testing.M) { os.Exit(workshop.Main(m)) }

// newWindow is a window in a file.
func newWindow(t testing.TB) (path string, w *window.Window) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "window")
	if err := os.WriteFile(path, make([]byte, window.Size), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	memory, err := syscall.Mmap(int(file.Fd()), 0, window.Size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	return path, window.Open(memory)
}

// askProgram compiles the program that asks.
func askProgram(t testing.TB, name string, flags ...string) (program string) {
	t.Helper()
	sources, err := harness.Library()
	if err != nil {
		t.Fatal(err)
	}
	flags = append(append(flags, "-Wall", "-Wextra", "-Werror", "tests/window/programs/ask.c", "shim/far/ask.c", "shim/base/io.c"), sources...)
	return workshop.Compile(t, name, "cc", append(flags, "-lssl", "-lcrypto", "-lpthread")...)
}

// asker returns how a scenario of that program is run.
func asker(t *testing.T, name string, flags ...string) func(t *testing.T, path, scenario string) {
	t.Helper()
	program := askProgram(t, name, flags...)
	return func(t *testing.T, path, scenario string) {
		t.Helper()
		stdout, stderr, err := harness.Execute([]string{"WINDOW=" + path}, program, scenario)
		if err != nil || stdout != scenario+"\n" {
			t.Errorf("%v: it printed %q\n%.4000s", err, stdout, stderr)
		}
	}
}

// serve answers until the test ends: of an even number there is something, of another one not, and the agent notes so
// of 7. It takes the slots back of those that do not get on, as this machine may not where it is busy.
func serve(t *testing.T, w *window.Window, reclaims bool) {
	t.Helper()
	ended := make(chan struct{})
	var serving sync.WaitGroup
	t.Cleanup(func() {
		close(ended)
		serving.Wait()
	})
	w.Renew(window.LongestLease)
	w.OpenGate()
	serving.Go(func() {
		requests := make([]window.Request, 0, 64)
		for reclaimed := time.Now(); ; {
			select {
			case <-ended:
				return
			default:
			}
			w.Renew(window.LongestLease)
			if reclaims && time.Since(reclaimed) > 100*time.Millisecond { // a second is for real workers
				w.Reclaim()
				reclaimed = time.Now()
				w.OpenGate() // which those that are stopped may have closed
			}
			requests = w.Collect(requests[:0])
			for i := range requests {
				answer(w, &requests[i])
			}
			if len(requests) == 0 {
				w.Await(20 * time.Millisecond)
			}
		}
	})
}

func answer(w *window.Window, r *window.Request) {
	key := r.Keys()[0]
	state := uint32(window.Miss)
	switch {
	case key[0]%2 == 0:
		state = window.Hit
	case key[0] == 7 && key[1] == 0:
		for _, key := range r.Keys() {
			w.NoteMiss(&key, window.LongestMiss)
		}
	}
	w.Answer(r, state)
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	run := asker(t, "ask")
	for scenario, reclaims := range map[string]bool{"answers": false, "missed": false, "interrupted": false, "kills": true, "stops": true, "forked": true} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			path, w := newWindow(t)
			serve(t, w, reclaims)
			run(t, path, scenario)
		})
	}
}

// Does a worker survive that somebody cuts the store short while it waits?
func TestTruncatedWindow(t *testing.T) {
	t.Parallel()
	path, _ := newWindow(t)
	asker(t, "ask")(t, path, "truncated")
}

// Nobody collects.
func TestSilentAgent(t *testing.T) {
	t.Parallel()
	run := asker(t, "ask")
	for _, scenario := range []string{"cancelled", "silent"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			path, w := newWindow(t)
			w.Renew(window.LongestLease)
			w.OpenGate()
			run(t, path, scenario)
		})
	}
}

func TestHostileWindow(t *testing.T) {
	t.Parallel()
	path, w := newWindow(t)
	serve(t, w, true)
	asker(t, "ask-sanitized", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")(t, path, "hostile")
}
