package sessioncache

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	id, other := testID(1), testID(2)
	mustPut(t, c, originA, id, []byte("one"), now+10)
	mustPut(t, c, originA, other, []byte("other"), now+10)

	stranger := originA
	stranger.ServerName = "b.example"
	for _, o := range []Origin{stranger, originB} {
		if _, _, ok := c.Take(o, id, nil); ok {
			t.Errorf("taken as %q", o.ServerName)
		}
	}
	o := originA
	o.ServerName = "A.Example"
	der, stored, ok := c.Take(o, id, []byte("the "))
	if !ok || string(der) != "the one" || stored.Expires != now+10 {
		t.Errorf("Take: %q, expires %d, %v", der, stored.Expires, ok)
	}
	if der, _, ok := c.Take(originA, id, []byte("the ")); ok || string(der) != "the " {
		t.Errorf("taken twice: %q", der)
	}
	mustMiss(t, c, originA, id)
	mustGet(t, c, originA, other, []byte("other"))

	now += 11
	if _, _, ok := c.Take(originA, other, nil); ok {
		t.Error("taken after its end")
	}
	want := Counters{Hits: 2, Misses: 5, Stores: 2, Expiries: 1}
	if st := s.Stats(); st.Total != want || st.Entries != 0 {
		t.Errorf("stats: %+v", st)
	}
}

// TestTakeOldKey takes what an older key has sealed.
func TestTakeOldKey(t *testing.T) {
	now := int64(testNow)
	before, s := newCache(t, &now, testKey(1))
	after := testCache(t, s, &now, testKey(2), testKey(1))
	mustPut(t, before, originA, testID(1), []byte("one"), now)
	if der, _, ok := after.Take(originA, testID(1), nil); !ok || string(der) != "one" {
		t.Errorf("Take: %q, %v", der, ok)
	}
	mustMiss(t, before, originA, testID(1))
}

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
	mapping := takeMapping(t, dir, "store", MinSize)
	makeHeader(mapping)
	s := openShm(t, mapping)
	c := testCache(t, s, nil)
	for n := range takeIDs {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), 1<<32-2)
	}
	tally, _ := wordsOf(takeMapping(t, dir, "tally", takeSize))

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
	want := Counters{Hits: takeIDs, Misses: ((takeProcesses+1)*takeThreads - 1) * takeIDs, Stores: takeIDs}
	st := s.Stats()
	if st.Total != want || st.Entries != 0 {
		t.Errorf("stats: %+v", st)
	}
	for _, w := range st.Workers {
		t.Logf("process %d took %d", w.PID, w.Counters.Hits)
	}
	checkStore(t, s)
}

// hesitant lets others run between finding an entry and dropping it.
type hesitant struct{ *Shm }

func (s hesitant) Drop(e *Entry) bool {
	syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
	runtime.Gosched()
	return s.Shm.Drop(e)
}

// takeAll takes what it can in some threads at once, when all processes are ready.
func takeAll(t *testing.T, dir string) {
	c := testCache(t, hesitant{openShm(t, takeMapping(t, dir, "store", MinSize))}, nil)
	tally, _ := wordsOf(takeMapping(t, dir, "tally", takeSize))
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
				der, _, ok := c.Take(originA, testID(n), nil)
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

func takeMapping(t *testing.T, dir, name string, size int) []byte {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	mapping, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(mapping) })
	return mapping
}
