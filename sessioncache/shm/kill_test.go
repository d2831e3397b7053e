package shm

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
)

const (
	killEnv    = "GOSESS_TEST_KILL"  // the directory of TestKills; this process is a worker of it
	killsEnv   = "GOSESS_TEST_KILLS" // how many, where the default is not wanted
	killTracks = 4                   // processes at a time
	killIDs    = 3000

	// Words of the file that the processes share, for each track.
	killDone  = 0 // operations of all its workers
	killHits  = 1
	killWrong = 2 // sessions that are not what was put
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

// beKilled is a worker: it says that it is ready, reads the number of its track, and writes and
// reads flat out until it is killed.
func beKilled(dir string) {
	time.AfterFunc(10*time.Minute, func() { os.Exit(3) })
	own, _ := wordsOf(mapIn(dir, "tally", killSize))
	s, c := storeIn(dir, MinSize)
	var track [1]byte
	if _, err := os.Stdout.Write(track[:]); err != nil {
		os.Exit(0)
	}
	if _, err := os.Stdin.Read(track[:]); err != nil {
		os.Exit(0) // it was not needed
	}
	at := int(track[0]) * killWords
	x := s.pid*0x9e3779b97f4a7c15 + 1
	der, dst, scratch := make([]byte, 9000), make([]byte, 0, 9000), make([]byte, 9000)
	var id [sessioncache.MaxID]byte
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
			c.Put(ctx, originA, sessioncache.Session{ID: id[:], DER: der[:size], Expires: 1<<32 - 2})
		} else if got, _, ok := c.Get(ctx, originA, id[:], dst); ok {
			own.add(at+killHits, 1)
			if !rightDER(got, scratch, n) {
				own.add(at+killWrong, 1)
			}
		}
		own.add(at+killDone, 1)
	}
}

// killWorker is a worker and how it is told to begin.
type killWorker struct {
	*exec.Cmd
	begin io.WriteCloser
}

// readyWorkers starts workers, one ahead of those that are wanted, until the channel is closed.
func readyWorkers(dir string, ready chan<- killWorker, enough <-chan struct{}) error {
	runtime.LockOSThread() // the workers die with this thread
	for {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killEnv+"="+dir)
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		begin, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			return err
		}
		select {
		case ready <- killWorker{cmd, begin}:
		case <-enough:
			begin.Close()
			return cmd.Wait()
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
	if os.Getenv("CI") == "true" && !raceEnabled {
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
	mapping := mapShared(t, dir, "store", MinSize)
	makeHeader(mapping)
	tally, _ := wordsOf(mapShared(t, dir, "tally", killSize))
	ready, enough, ended := make(chan killWorker), make(chan struct{}), make(chan error, 1)
	go func() { ended <- readyWorkers(dir, ready, enough) }()
	var workers [killTracks]killWorker
	kill := func(track int) {
		w := workers[track]
		if err := w.Process.Kill(); err != nil {
			t.Errorf("process %d: %v", w.Process.Pid, err)
		}
		if err := w.Wait(); !strings.Contains(fmt.Sprint(err), "killed") {
			t.Errorf("process %d: %v", w.Process.Pid, err)
		}
	}
	defer func() {
		for track := range workers {
			if workers[track].Cmd != nil {
				kill(track)
			}
		}
		close(enough)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()

	done := func(track int) uint64 { return tally.load(track*killWords + killDone) }
	// wait waits until a process has done something more, and says how long that took.
	wait := func(track int, from uint64) time.Duration {
		begun := time.Now()
		for done(track) <= from {
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("process %d does not get on", workers[track].Process.Pid)
			}
			time.Sleep(20 * time.Microsecond)
		}
		return time.Since(begun)
	}
	start := func(track int) {
		from := done(track)
		select {
		case workers[track] = <-ready:
		case err := <-ended:
			ended <- nil
			t.Fatal(err)
		}
		if _, err := workers[track].begin.Write([]byte{byte(track)}); err != nil {
			t.Fatal(err)
		}
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
	for track := range workers {
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
		kill(track)
		after = append(after, all(track))
		start(track)
	}
	ops, hits := uint64(0), uint64(0)
	for track := range workers {
		kill(track)
		workers[track].Cmd = nil
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
	s := openShm(t, mapping)
	c := testCache(t, s, nil)
	var id [sessioncache.MaxID]byte
	scratch := make([]byte, 9000)
	found := 0
	for n := range killIDs {
		binary.LittleEndian.PutUint64(id[:], uint64(n))
		der, _, ok := c.Get(ctx, originA, id[:], nil)
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
	t.Logf("%d sessions were there in the end, %+v", found, s.stats().Total)
}
