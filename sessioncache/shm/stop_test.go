package shm

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
)

const (
	stopEnv   = "GOSESS_TEST_STOP" // the directory of TestStoppedWriter; this process is its writer
	stopAtEnv = "GOSESS_TEST_STOP_AT"
)

// stopAt is a process that puts session 0 and stops itself before its n-th write to the store.
func stopAt(t *testing.T, dir string, n int) {
	s := openShm(t, mapShared(t, dir, "store", MinSize))
	c := testCache(t, s, nil)
	left := n
	s.beforeWrite = func() {
		if left--; left == 0 {
			// This very thread, which so does not get on until the signal has been taken.
			syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(os.Getpid()), uintptr(syscall.Gettid()), uintptr(syscall.SIGSTOP))
		}
	}
	id := testID(0)
	switch _, err := c.Put(ctx, originA, sessioncache.Session{ID: id, DER: testDER(id, 1, ordinaryDER), Expires: 1<<32 - 2}); {
	case left > 0:
		os.Exit(3) // there are fewer writes
	case err != nil && err != sessioncache.ErrInterrupted:
		t.Fatal(err)
	}
}

// TestStoppedWriter stops a process in the middle of a write, wherever that is. The others
// work on the same set meanwhile: nobody waits for it, and nothing is wrong when it goes on.
func TestStoppedWriter(t *testing.T) {
	if dir := os.Getenv(stopEnv); dir != "" {
		n, _ := strconv.Atoi(os.Getenv(stopAtEnv))
		stopAt(t, dir, n)
		return
	}
	var free, stopped []time.Duration
	thefts := 0
	stride := 1
	if raceEnabled {
		stride = 7
	}
	for n, done := 1, false; !done; n += stride {
		dir := t.TempDir()
		mapping := mapShared(t, dir, "store", MinSize)
		makeHeader(mapping)
		s := openShm(t, mapping)
		c := testCache(t, s, nil)
		for i := range 6000 { // full
			mustPut(t, c, originA, testID(i), testDER(testID(i), 0, ordinaryDER), 1<<32-2)
		}
		free = append(free, slowestOf(t, c))
		cmd := exec.Command(os.Args[0], "-test.run=^TestStoppedWriter$", "-test.timeout=1m")
		cmd.Env = append(os.Environ(), stopEnv+"="+dir, stopAtEnv+"="+strconv.Itoa(n))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid := cmd.Process.Pid
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil); err != nil {
			t.Fatal(err)
		}
		if done = status.Exited(); done {
			if status.ExitStatus() != 3 || n < 30 {
				t.Fatalf("the writer ended at write %d with status %d", n, status.ExitStatus())
			}
			continue
		}

		held := 0
		for i := range s.sets {
			if s.load(firstSet+i*s.setSize+setLock)>>32 == uint64(pid) {
				held++
			}
		}
		slowest := slowestOf(t, c)
		thefts += held
		stopped = append(stopped, slowest)

		if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("the writer that stopped at write %d: %v", n, err)
		}
		before := s.stats().Total[sessioncache.Errors]
		for i := range 400 {
			if der, _, ok := c.Get(ctx, originA, testID(i), nil); ok {
				checkDER(t, testID(i), der)
			}
			mustPut(t, c, originA, testID(i), testDER(testID(i), 0, ordinaryDER), 1<<32-2)
		}
		if spoilt := s.stats().Total[sessioncache.Errors] - before; spoilt > 0 {
			t.Errorf("stopped at write %d: %d entries are spoilt", n, spoilt)
		}
		checkStore(t, s)
		os.RemoveAll(dir)
	}
	slices.Sort(free)
	slices.Sort(stopped)
	t.Logf("%d stops, %d with the lock of a set; the slowest operation during each: median %v, most %v; before, with nobody stopped: median %v, most %v",
		len(stopped), thefts, stopped[len(stopped)/2], stopped[len(stopped)-1], free[len(free)/2], free[len(free)-1])
}

// slowestOf works on all sets and says how long the slowest operation took.
func slowestOf(t *testing.T, c *sessioncache.Cache) (slowest time.Duration) {
	t.Helper()
	for i := range 3000 {
		id := testID(i % 400)
		der := testDER(id, uint32(i), ordinaryDER)
		begun := time.Now()
		got, _, ok := c.Get(ctx, originA, id, nil)
		slowest = max(slowest, time.Since(begun))
		if ok {
			checkDER(t, id, got)
		}
		if i%3 == 0 {
			begun = time.Now()
			mustPut(t, c, originA, id, der, 1<<32-2)
			mustGet(t, c, originA, id, der)
			slowest = max(slowest, time.Since(begun))
		}
	}
	return slowest
}
