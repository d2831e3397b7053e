package haproxy_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache/shm"
	"gosess/tests/harness"
)

// writer is another process that writes to the store flat out.
type writer struct {
	harness.Process
	cmd   *exec.Cmd
	said  bytes.Buffer
	holds bool // it is stopped, and has the lock of a set
}

// newWriters starts writers, and stops each when it has written.
func (s *server) newWriters(n int) (writers []*writer) {
	s.t.Helper()
	program := filepath.Join(s.t.TempDir(), "writer")
	library, err := harness.Library()
	s.do(func() error { return err })
	arguments := append([]string{"-Itests/c/lib", "tests/haproxy/testdata/writer.c"}, library...)
	s.do(func() error { return harness.Compile(program, "cc", append(arguments, "-lssl", "-lcrypto")...) })
	runtime.LockOSThread() // they die with this thread
	s.t.Cleanup(runtime.UnlockOSThread)
	for range n {
		w := &writer{cmd: exec.Command(program)}
		w.cmd.Env = append(os.Environ(), s.Env...)
		w.cmd.Stderr = &w.said
		w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		output, err := w.cmd.StdoutPipe()
		s.do(func() error { return err })
		s.do(w.cmd.Start)
		s.t.Cleanup(func() { _ = w.end() })
		if _, err := output.Read(make([]byte, 1)); err != nil {
			s.t.Fatalf("a writer adds no session: %v", errors.Join(err, w.end()))
		}
		w.Process = harness.FindProcess(w.cmd.Process.Pid)
		s.do(w.stop)
		writers = append(writers, w)
	}
	return writers
}

// end kills it, and is what it said.
func (w *writer) end() error {
	if w.cmd.ProcessState == nil {
		_ = w.cmd.Process.Kill()
		_ = w.cmd.Wait()
	}
	if w.said.Len() != 0 {
		return errors.New(w.said.String())
	}
	return nil
}

// hasLock says whether a process has the lock of a set: its pid is the upper half of the set's first word (docs/shm-format.md).
func (s *server) hasLock(pid int) (bool, error) {
	_, path, _ := strings.Cut(s.store, ":")
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	places := shm.PlacesOf(int(info.Size()))
	var lock [8]byte
	for i := range places.Sets {
		if _, err := file.ReadAt(lock[:], int64(places.SetsAt+i*places.SetSize)); err != nil {
			return false, err
		}
		if int(binary.NativeEndian.Uint64(lock[:])>>32) == pid {
			return true, nil
		}
	}
	return false, nil
}

// stop stops it; it writes with its first thread.
func (w *writer) stop() error {
	if err := w.Kill(syscall.SIGSTOP); err != nil {
		return err
	}
	return harness.WaitFor("a writer to stop", func() bool {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.PID))
		return bytes.Contains(status, []byte("State:\tT"))
	})
}

// step lets a stopped writer that has no lock go on, and stops it at a random moment. It reports whether a lock had been
// taken from it since the last step.
func (s *server) step(w *writer) (robbed bool, err error) {
	has, err := s.hasLock(w.PID)
	if err != nil || has {
		return false, err
	}
	robbed = w.holds
	if err := w.Kill(syscall.SIGCONT); err != nil {
		return false, err
	}
	time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
	if err := w.stop(); err != nil {
		return false, err
	}
	w.holds, err = s.hasLock(w.PID)
	return robbed, err
}

// rob waits until so many locks have been taken from stopped writers.
func (s *server) rob(writers []*writer, times int) error {
	var failed error
	err := harness.WaitFor("locks to be taken from stopped writers", func() bool {
		for _, w := range writers {
			robbed, err := s.step(w)
			if err != nil {
				failed = err
				return true
			}
			if robbed {
				times--
			}
		}
		return times <= 0
	})
	return errors.Join(failed, err)
}

// A store blocks where processes that share it are stopped in the middle of a write. HAProxy's threads go on, its clients
// resume their sessions, and the Go half starts no threads in place of those that wait. Nobody is harmed by what the
// processes still write when they go on.
func TestBlockingStore(t *testing.T) {
	s := newServer(t)
	s.Attached = true                                 // what its watchdog says is in the log
	s.Env[1] = "GOSESS_CACHE=" + s.store + "?size=1m" // few sets
	s.do(s.Start)
	writers, times := s.newWriters(16), 50
	if !harness.All() {
		times = 10
	}
	s.unchanged(func() {
		s.underLoad(func() error { return s.rob(writers, times) })
	})
	versions := []string{"1.2", "1.3"}
	var old [][]string
	for _, version := range versions {
		old = append(old, s.pool(version))
	}
	s.do(s.Reload) // its own cache ends
	s.unchanged(func() {
		for i := range versions {
			before := s.hits()
			r := s.load(old[i]...)
			hits := s.hits() - before
			t.Logf("TLS %s: resumed %d of %d, %d out of the store", versions[i], r.Resumed, r.Attempts, hits)
			// A session that found no room in time is not stored.
			if r.Resumed < r.Attempts*9/10 || hits < uint64(r.Sessions*9/10) {
				t.Error("too few")
			}
		}
		for _, w := range writers {
			s.do(func() error { return w.Kill(syscall.SIGCONT) })
		}
		s.underLoad(func() error { return nil })
	})
	for _, w := range writers {
		s.do(w.end)
	}
}
