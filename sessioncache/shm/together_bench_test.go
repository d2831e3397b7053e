package shm

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"gosess/sessioncache"
)

const (
	putterEnv      = "GOSESS_TEST_PUTTER" // the directory of a benchmark; this process stores sessions there
	putterFirstEnv = "GOSESS_TEST_FIRST"  // the number of the first of them
	putterSessions = 50_000
)

// bePutter stores sessions as fast as it can, and prints how many the store did not take.
func bePutter(dir string) {
	time.AfterFunc(time.Minute, func() { os.Exit(3) }) // where the benchmark died
	first, _ := strconv.Atoi(os.Getenv(putterFirstEnv))
	_, c := storeIn(dir, MinSize)
	unstored := 0
	for n := range putterSessions {
		id := testID(first + n)
		s := sessioncache.Session{ID: id, DER: testDER(id, 0, ordinaryDER), Expires: 1<<32 - 2}
		if _, err := c.Put(ctx, originA, s); err != nil {
			unstored++
		}
	}
	fmt.Println(unstored)
}

// BenchmarkTogether counts the sessions that a store of 1 MiB does not take where four processes store as fast as they
// can: a writer gives up where it would have to wait for longer than a handshake may.
func BenchmarkTogether(b *testing.B) {
	const processes = 4
	for b.Loop() {
		dir := b.TempDir()
		makeHeader(mapShared(b, dir, "store", MinSize))
		said := make(chan string, processes)
		for n := range processes {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), putterEnv+"="+dir, putterFirstEnv+"="+strconv.Itoa(n*putterSessions))
			go func() {
				out, err := cmd.Output()
				if err != nil {
					out = []byte(err.Error())
				}
				said <- string(out)
			}()
		}
		unstored := 0
		for range processes {
			var one int
			line := <-said
			if _, err := fmt.Sscan(line, &one); err != nil {
				b.Fatalf("a process that stores: %q", line)
			}
			unstored += one
		}
		b.ReportMetric(float64(unstored), "unstored")
		b.ReportMetric(processes*putterSessions, "stores")
	}
}
