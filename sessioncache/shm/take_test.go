package shm

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/storetest"
)

const (
	takeEnv = "GOSESS_TEST_TAKERS" // the directory of TestTakeRace; this process is one of its takers

	takeProcesses = 3 // beside the test itself
	takeThreads   = 2 // of each
	takeIDs       = 2000

	// Words of the file that the processes share beside the store.
	takeReady = 0 // processes
	takeGo    = 1
	takeWins  = 2 // by id
	takeSize  = (takeWins + takeIDs) * wordSize
)

// TestTakeRace lets several threads of several processes take the same sessions at the
// same time. It runs itself for the other processes.
func TestTakeRace(t *testing.T) {
	if dir := os.Getenv(takeEnv); dir != "" {
		takeAll(t, dir)
		return
	}
	dir := t.TempDir()
	mapping := mapShared(t, dir, "store", MinSize)
	makeHeader(mapping)
	s := openShm(t, mapping)
	c := testCache(t, s, nil)
	for n := range takeIDs {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), 1<<32-2)
	}
	tally, _ := wordsOf(mapShared(t, dir, "tally", takeSize))

	var others []*exec.Cmd
	for range takeProcesses {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTakeRace$", "-test.timeout=1m")
		cmd.Env = append(os.Environ(), takeEnv+"="+dir)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		others = append(others, cmd)
		defer cmd.Process.Kill() // where it has ended, nothing happens
	}
	takeAll(t, dir)
	for _, cmd := range others {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a taker: %v", err)
		}
	}

	for n := range takeIDs {
		if wins := tally.load(takeWins + n); wins != 1 {
			t.Errorf("session %d was taken %d times", n, wins)
		}
	}
	want := sessioncache.Counters{sessioncache.Hits: takeIDs, sessioncache.Misses: ((takeProcesses+1)*takeThreads - 1) * takeIDs, sessioncache.Stores: takeIDs}
	st := s.stats()
	if storetest.Basic(t, st.Total) != want || st.Entries != 0 {
		t.Errorf("stats: %+v", st)
	}
	for _, w := range st.Workers {
		t.Logf("process %d took %d", w.PID, w.Counters[sessioncache.Hits])
	}
	checkStore(t, s)
}

// takeAll takes what it can in some threads at once, when all processes are ready.
func takeAll(t *testing.T, dir string) {
	c := testCache(t, storetest.Hesitant{Store: openShm(t, mapShared(t, dir, "store", MinSize))}, nil)
	tally, _ := wordsOf(mapShared(t, dir, "tally", takeSize))
	deadline := time.Now().Add(time.Minute)
	if tally.add(takeReady, 1) == takeProcesses+1 {
		tally.store(takeGo, 1)
	}
	for tally.load(takeGo) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the other processes did not get ready")
		}
		runtime.Gosched()
	}
	var threads sync.WaitGroup
	for range takeThreads {
		threads.Go(func() {
			for n := range takeIDs {
				der, _, ok := c.Take(ctx, originA, testID(n), nil)
				if !ok {
					continue
				}
				if string(der) != string(testDER(testID(n), 0, ordinaryDER)) {
					t.Errorf("session %d is not what was put", n)
				}
				tally.add(takeWins+n, 1)
			}
		})
	}
	threads.Wait()
}

// What was taken is told from what was never there, until its slot is another's.
func TestTaken(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	take := func(n int) (why sessioncache.Counters) {
		t.Helper()
		before := s.stats().Total
		if _, _, ok := c.Take(ctx, originA, testID(n), nil); ok {
			t.Errorf("session %d was taken", n)
		}
		for counter, value := range s.stats().Total {
			why[counter] = value - before[counter]
		}
		return why
	}
	absent := sessioncache.Counters{sessioncache.Misses: 1, sessioncache.MissedAbsent: 1}
	taken := sessioncache.Counters{sessioncache.Misses: 1, sessioncache.MissedTaken: 1}
	mustPut(t, c, originA, testID(1), []byte("one"), now+10)
	if _, _, ok := c.Take(ctx, originA, testID(1), nil); !ok {
		t.Fatal("not taken")
	}
	for n, want := range map[int]sessioncache.Counters{1: taken, 2: absent} {
		if got := take(n); got != want {
			t.Errorf("session %d: %v", n, got)
		}
	}
	for n := range 2 * setSlots * s.sets {
		mustPut(t, c, originA, testID(10+n), []byte("other"), now+10)
	}
	if got := take(1); got != absent {
		t.Errorf("when others had come: %v", got)
	}
}
