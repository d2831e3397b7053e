//go:build !race

package sessioncache

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	killEnv    = "GOSESS_TEST_KILL"  // the directory of TestKills; this process forks its workers
	killsEnv   = "GOSESS_TEST_KILLS" // how many, where the default is not wanted
	killTracks = 4                   // processes at a time
	killIDs    = 3000

	// Words of the file that the processes share, for each track.
	killPID   = 0 // of the worker, 0 while there is none
	killDone  = 1 // operations of all its workers
	killHits  = 2
	killWrong = 3 // sessions that are not what was put
	killWords = 8
	killSize  = 4096
)

// fillDER makes a session of some size that says whose it is, without allocating.
func fillDER(der []byte, id uint64, version uint32) {
	binary.LittleEndian.PutUint64(der, id)
	binary.LittleEndian.PutUint32(der[8:], version)
	x := id*0x9e3779b97f4a7c15 + uint64(version)
	for i := 12; i < len(der); i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		der[i] = byte(x)
	}
}

func rightDER(der, scratch []byte, id uint64) bool {
	if len(der) < 12 {
		return false
	}
	scratch = scratch[:len(der)]
	fillDER(scratch, id, binary.LittleEndian.Uint32(der[8:]))
	return string(der) == string(scratch)
}

// beKilled writes and reads flat out until it is killed.
func beKilled(store, tally []byte, track int) {
	own, _ := wordsOf(tally)
	at := track * killWords
	s, err := OpenShm(store)
	if err != nil {
		os.Exit(3)
	}
	c, err := New(s, [][]byte{testKey(1)})
	if err != nil {
		os.Exit(3)
	}
	x := uint64(s.pid)*0x9e3779b97f4a7c15 + 1
	der, dst, scratch := make([]byte, 9000), make([]byte, 0, 9000), make([]byte, 9000)
	var id [MaxID]byte
	own.store(at+killPID, s.pid)
	for {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		n := x % killIDs
		binary.LittleEndian.PutUint64(id[:], n)
		if x>>32%3 == 0 {
			size := 100 + x>>40%200
			if x>>48%30 == 0 {
				size = 100 + x>>40%8000
			}
			fillDER(der[:size], n, uint32(x))
			c.Put(originA, Session{id[:], der[:size], 1<<32 - 2})
		} else if got, _, ok := c.Get(originA, id[:], dst); ok {
			own.add(at+killHits, 1)
			if !rightDER(got, scratch, n) {
				own.add(at+killWrong, 1)
			}
		}
		own.add(at+killDone, 1)
	}
}

// forkWorkers forks a worker for each number that comes in, and says its pid. A worker is
// this process without its other threads: it never waits for one, because there is no
// garbage collection and no other goroutine.
func forkWorkers(dir string) {
	time.AfterFunc(10*time.Minute, func() { os.Exit(3) })
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(1)
	store, tally := mapIn(dir, "store", MinSize), mapIn(dir, "tally", killSize)
	var in [1]byte
	for {
		if n, err := syscall.Read(0, in[:]); n != 1 || err != nil {
			os.Exit(0)
		}
		// A thread that was asked to let others run does so now: a child could not, but for
		// those that nobody is to run but this one. So it is not locked to a thread either.
		runtime.Gosched()
		// The end of this process is that of its workers.
		pid, _, _ := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		if pid == 0 {
			syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0, 0)
			beKilled(store, tally, int(in[0]))
		}
		// Its parent kills it, and says so by the next number.
		var out [8]byte
		binary.LittleEndian.PutUint64(out[:], uint64(pid))
		syscall.Write(1, out[:])
		for {
			if dead, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); dead <= 0 || err != nil {
				break
			}
		}
	}
}

func killCount(t *testing.T) int {
	if text := os.Getenv(killsEnv); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if os.Getenv("CI") == "true" {
		return 10000
	}
	return 500
}

// TestKills kills processes that write and read flat out, at random points: see killsEnv.
// No entry is wrong, and whoever is left goes on.
func TestKills(t *testing.T) {
	kills, seed := killCount(t), uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	mapping := mapFile(t, filepath.Join(dir, "store"), MinSize, syscall.PROT_READ|syscall.PROT_WRITE)
	makeHeader(mapping)
	tally, _ := wordsOf(mapFile(t, filepath.Join(dir, "tally"), killSize, syscall.PROT_READ|syscall.PROT_WRITE))
	forks := exec.Command(os.Args[0])
	forks.Env = append(os.Environ(), killEnv+"="+dir, "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
	forks.Stderr = os.Stderr
	in, err := forks.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := forks.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := forks.Start(); err != nil {
		t.Fatal(err)
	}
	var pids [killTracks]int
	defer func() {
		for _, pid := range pids {
			if pid > 0 {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		in.Close()
		forks.Wait()
	}()

	done := func(track int) uint64 { return tally.load(track*killWords + killDone) }
	// wait waits until a process has done something more, and says how long that took.
	wait := func(track int, from uint64) time.Duration {
		begun := time.Now()
		for done(track) <= from {
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("process %d does not get on", pids[track])
			}
			time.Sleep(20 * time.Microsecond)
		}
		return time.Since(begun)
	}
	start := func(track int) {
		from := done(track)
		if _, err := in.Write([]byte{byte(track)}); err != nil {
			t.Fatal(err)
		}
		var pid [8]byte
		if _, err := out.Read(pid[:]); err != nil {
			t.Fatal(err)
		}
		pids[track] = int(binary.LittleEndian.Uint64(pid[:]))
		wait(track, from)
	}
	// all waits for all processes but one.
	all := func(but int) (longest time.Duration) {
		var from [killTracks]uint64
		for track := range from {
			from[track] = done(track)
		}
		for track := range from {
			if track != but {
				longest += wait(track, from[track]) // one after the other
			}
		}
		return longest
	}
	for track := range pids {
		start(track)
	}
	var before, after []time.Duration
	begun := time.Now()
	for n := range kills {
		track := n % killTracks
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Microsecond)
		if n%10 == 0 {
			before = append(before, all(track))
		}
		syscall.Kill(pids[track], syscall.SIGKILL)
		after = append(after, all(track))
		start(track)
	}
	ops, hits := uint64(0), uint64(0)
	for track := range pids {
		syscall.Kill(pids[track], syscall.SIGKILL)
		ops += done(track)
		hits += tally.load(track*killWords + killHits)
		if wrong := tally.load(track*killWords + killWrong); wrong > 0 {
			t.Errorf("%d sessions were wrong", wrong)
		}
	}
	for _, times := range [][]time.Duration{before, after} {
		slices.Sort(times)
	}
	at := func(times []time.Duration, percent int) time.Duration { return times[(len(times)-1)*percent/100] }
	t.Logf("%d kills in %v, %d operations, %d hits", kills, time.Since(begun).Round(time.Millisecond), ops, hits)
	t.Logf("until each of the 3 others had done something more: after a kill p50 %v, p99 %v, most %v; with no kill p50 %v, p99 %v, most %v",
		at(after, 50), at(after, 99), at(after, 100), at(before, 50), at(before, 99), at(before, 100))

	// What is left is right, and takes new sessions.
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := forks.Wait(); err != nil {
		t.Error(err)
	}
	s := openShm(t, mapping)
	c := testCache(t, s, nil)
	var id [MaxID]byte
	scratch := make([]byte, 9000)
	found := 0
	for n := range killIDs {
		binary.LittleEndian.PutUint64(id[:], uint64(n))
		der, _, ok := c.Get(originA, id[:], nil)
		if ok {
			found++
			if !rightDER(der, scratch, uint64(n)) {
				t.Errorf("session %d is wrong", n)
			}
		}
		mustPut(t, c, originA, id[:], testDER(id[:], 0, ordinaryDER), 1<<32-2)
		mustGet(t, c, originA, id[:], testDER(id[:], 0, ordinaryDER))
	}
	if found == 0 || hits == 0 {
		t.Errorf("nothing was tried: %d sessions found, %d hits", found, hits)
	}
	checkStore(t, s)
	t.Logf("%d sessions were there in the end, %+v", found, s.Stats().Total)
}
