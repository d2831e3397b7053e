package shm

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
)

const (
	recordEnv    = "GOSESS_TEST_RECORD" // the directory of TestRecordKills; this process is one of those
	recordTracks = 4
	recordRounds = 1 << 20
	// Words of the file that the processes share: what the round is, and what each has read of a round.
	roundAt    = 0
	doneAt     = 1
	readAt     = 8
	recordFile = (readAt + recordRounds) * wordSize
)

// beRecorder adds the record of each round and reads it, beside others, until it is killed: whatever any of them
// has ever read of a round, all others do. The clock is the round.
func beRecorder(dir string) {
	time.AfterFunc(5*time.Minute, func() { os.Exit(3) })
	tally, _ := wordsOf(mapIn(dir, "tally", recordFile))
	s, c := storeIn(dir, MinSize)
	c.SetClock(func() int64 { return int64(tally.load(roundAt)) })
	rng := rand.New(rand.NewPCG(s.pid, uint64(time.Now().UnixNano())))
	value := make([]byte, sessioncache.MaxRecord)
	for {
		round := tally.load(roundAt)
		if round+1 == recordRounds {
			os.Exit(4) // nobody has killed it in time
		}
		for i := range value {
			value[i] = byte(rng.Uint32())
		}
		value[0] |= 1 // none is zero
		name := fmt.Sprint(round)
		err := c.AddRecord(ctx, name, value, int64(round+30))
		if err == sessioncache.ErrExpired || err == sessioncache.ErrFull && tally.load(roundAt) > round+10 {
			continue // it was stopped for long, and so looked with the time that was
		}
		if err != nil && err != sessioncache.ErrExists {
			fmt.Fprintln(os.Stderr, "AddRecord:", err, "round", round, tally.load(roundAt), "root", s.load(recordsAt))
			os.Exit(5)
		}
		values, err2 := c.Record(ctx, name)
		if err2 != nil || len(values) != 1 {
			if tally.load(roundAt) > round+30 {
				continue
			}
			fmt.Fprintln(os.Stderr, "Record:", len(values), err2, "after", err)
			os.Exit(6)
		}
		read := binary.LittleEndian.Uint64(values[0].Value)
		at := readAt + int(round)
		if !tally.cas(at, 0, read) && tally.load(at) != read {
			fmt.Fprintln(os.Stderr, "round", round, "has two values")
			os.Exit(7)
		}
		if rng.IntN(20) == 0 {
			c.ExpireRecords(ctx)
		}
		tally.add(doneAt, 1)
		if rng.IntN(8) == 0 {
			tally.cas(roundAt, round, round+1)
		}
	}
}

// TestRecordKills kills processes at random while they add records.
func TestRecordKills(t *testing.T) {
	kills := 60 * thorough
	dir := t.TempDir()
	mapping := mapShared(t, dir, "store", MinSize)
	makeHeader(mapping)
	tally, _ := wordsOf(mapShared(t, dir, "tally", recordFile))
	var running [recordTracks]*exec.Cmd
	start := func(track int) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), recordEnv+"="+dir)
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running[track] = cmd
	}
	kill := func(track int) {
		cmd := running[track]
		running[track] = nil
		cmd.Process.Kill()
		if err := cmd.Wait(); !strings.Contains(fmt.Sprint(err), "killed") {
			t.Errorf("process %d: %v", cmd.Process.Pid, err)
		}
	}
	defer func() {
		for track := range running {
			if running[track] != nil {
				kill(track)
			}
		}
	}()
	for track := range running {
		start(track)
	}
	for n := range kills {
		from := tally.load(doneAt)
		for begun := time.Now(); tally.load(doneAt) < from+20; time.Sleep(time.Millisecond) {
			if time.Since(begun) > 30*time.Second || t.Failed() {
				t.Fatalf("they do not get on: %d rounds", tally.load(roundAt))
			}
		}
		kill(n % recordTracks)
		start(n % recordTracks)
	}
	for track := range running {
		kill(track)
	}
	t.Logf("%d rounds", tally.load(roundAt))
	checkRecords(t, openShm(t, mapping))
}
