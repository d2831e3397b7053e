package shm

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
)

const (
	workerEnv = "GOSESS_TEST_WORKER" // the directory of a test; this process is its worker
	tallyEnv  = "GOSESS_TEST_TALLY"  // which of the tallies is its own

	processIDs   = 5500
	processSize  = MinSize
	tallySize    = 4096
	tallyWords   = 8
	tallyBegun   = 0 // lookups
	tallyDone    = 1
	tallyHits    = 2
	tallyPutting = 3 // stores
	tallyPut     = 4
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killEnv); dir != "" {
		beKilled(dir)
	}
	if dir := os.Getenv(recordEnv); dir != "" {
		beRecorder(dir)
	}
	if dir := os.Getenv(putterEnv); dir != "" {
		bePutter(dir)
		return
	}
	if dir := os.Getenv(workerEnv); dir != "" {
		beWorker(dir)
		return
	}
	os.Exit(m.Run())
}

// storeIn is the store of a process that a test has started, and a cache over it.
func storeIn(dir string, size int) (*Store, *sessioncache.Cache) {
	s, err := Open(mapIn(dir, "store", size))
	if err != nil {
		panic(err)
	}
	c, err := sessioncache.New(s, [][]byte{testKey(1)})
	if err != nil {
		panic(err)
	}
	return s, c
}

func mapIn(dir, name string, size int) []byte {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	mapping, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return mapping
}

func processDER(id []byte, rng *rand.Rand) []byte {
	size := 100 + rng.IntN(200)
	if rng.IntN(30) == 0 {
		size = 100 + rng.IntN(8000)
	}
	return testDER(id, rng.Uint32(), size)
}

// beWorker works on a store until somebody ends it, and keeps a tally beside it of
// what it has begun and done.
func beWorker(dir string) {
	// A worker that nobody ends, because the test died, ends itself.
	time.AfterFunc(time.Minute, func() { os.Exit(3) })
	index, _ := strconv.Atoi(os.Getenv(tallyEnv))
	tally, _ := wordsOf(mapIn(dir, "tally", tallySize))
	own := index * tallyWords
	_, c := storeIn(dir, processSize)
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(time.Now().UnixNano())))
	for {
		id := testID(rng.IntN(processIDs))
		if rng.IntN(3) == 0 {
			der := processDER(id, rng)
			tally.add(own+tallyPutting, 1)
			if _, err := c.Put(ctx, originA, sessioncache.Session{ID: id, DER: der, Expires: 1<<32 - 2}); err == nil {
				tally.add(own+tallyPut, 1)
			} else {
				tally.add(own+tallyPutting, ^uint64(0))
			}
			continue
		}
		tally.add(own+tallyBegun, 1)
		_, _, ok := c.Get(ctx, originA, id, nil)
		if ok {
			tally.add(own+tallyHits, 1)
		}
		tally.add(own+tallyDone, 1)
	}
}

// TestKilledWorkers lets processes work on one store and kills them in the middle of
// it. Everything that is left must be right, nothing may hold up the others, and
// the counters must be what the workers have done.
func TestKilledWorkers(t *testing.T) {
	const workers, kills = 3, 30
	dir := t.TempDir()
	mapping := mapShared(t, dir, "store", processSize)
	makeHeader(mapping)
	tally, _ := wordsOf(mapShared(t, dir, "tally", tallySize))
	deadline := time.Now().Add(time.Minute)

	running := map[int]*exec.Cmd{} // by tally
	start := func(index int) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), workerEnv+"="+dir, tallyEnv+"="+strconv.Itoa(index))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running[index] = cmd
	}
	kill := func(index int) (pid int) {
		cmd := running[index]
		delete(running, index)
		cmd.Process.Kill()
		cmd.Wait()
		return cmd.Process.Pid
	}
	defer func() {
		for index := range running {
			kill(index)
		}
	}()

	s := openShm(t, mapping)
	c := testCache(t, s, nil)
	rng := rand.New(rand.NewPCG(4, 0))
	pids := map[int]int{} // by tally
	var own sessioncache.Counters
	for index := range workers {
		start(index)
	}
	for index := range kills {
		// Each gets some work done first; then it ends at any moment.
		enough := uint64(150+rng.IntN(600)) * thorough
		for tally.load(index*tallyWords+tallyDone) < enough {
			if time.Now().After(deadline) {
				t.Fatalf("worker %d does not get on: %d of %d", index, tally.load(index*tallyWords+tallyDone), enough)
			}
			id := testID(rng.IntN(processIDs))
			if der, _, ok := c.Get(ctx, originA, id, nil); ok {
				checkDER(t, id, der)
				own[sessioncache.Hits]++
			} else {
				own[sessioncache.Misses]++
			}
		}
		pids[index] = kill(index)
		if next := index + workers; next < kills {
			start(next)
		}
	}

	for n := range processIDs {
		id := testID(n)
		mustPut(t, c, originA, id, testDER(id, 0, ordinaryDER), 1<<32-2)
		mustGet(t, c, originA, id, testDER(id, 0, ordinaryDER))
		own[sessioncache.Stores]++
		own[sessioncache.Hits]++
	}
	checkStore(t, s)

	st := s.stats()
	byPID := map[int]sessioncache.Counters{}
	for _, w := range st.Workers {
		byPID[w.PID] = w.Counters
		if w.Live != (w.PID == os.Getpid()) {
			t.Errorf("worker %d is live: %v", w.PID, w.Live)
		}
	}
	sum := byPID[os.Getpid()]
	if sum[sessioncache.Hits] != own[sessioncache.Hits] || sum[sessioncache.Misses] != own[sessioncache.Misses] || sum[sessioncache.Stores] != own[sessioncache.Stores] {
		t.Errorf("counters of this process %+v, not %+v", sum, own)
	}
	for index, pid := range pids {
		at := index * tallyWords
		got := byPID[pid]
		// A worker that was killed between the two has counted once more than it noted.
		for _, check := range []struct {
			what              string
			count, from, upto uint64
		}{
			{"lookups", got[sessioncache.Hits] + got[sessioncache.Misses], tally.load(at + tallyDone), tally.load(at + tallyBegun)},
			{"hits", got[sessioncache.Hits], tally.load(at + tallyHits), tally.load(at+tallyHits) + 1},
			{"stores", got[sessioncache.Stores], tally.load(at + tallyPut), tally.load(at + tallyPutting)},
		} {
			if check.count < check.from || check.count > check.upto {
				t.Errorf("worker %d: %d %s, not %d to %d", index, check.count, check.what, check.from, check.upto)
			}
		}
		sum[sessioncache.Hits] += got[sessioncache.Hits]
		sum[sessioncache.Misses] += got[sessioncache.Misses]
		sum[sessioncache.Stores] += got[sessioncache.Stores]
	}
	if st.Total[sessioncache.Hits] != sum[sessioncache.Hits] || st.Total[sessioncache.Misses] != sum[sessioncache.Misses] || st.Total[sessioncache.Stores] != sum[sessioncache.Stores] {
		t.Errorf("the total %+v is not the sum %+v", st.Total, sum)
	}
	if st.Total[sessioncache.Hits] == own[sessioncache.Hits] || st.Total[sessioncache.Evictions] == 0 {
		t.Errorf("nothing was tried: %+v", st.Total)
	}
	t.Logf("%+v", st.Total)
}
