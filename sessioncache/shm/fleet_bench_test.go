package shm

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"gosess/sessioncache"
)

// threadTime is CLOCK_THREAD_CPUTIME_ID: what others do on the machine is not in it.
func threadTime() time.Duration {
	var t syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 3, uintptr(unsafe.Pointer(&t)), 0)
	return time.Duration(t.Nano())
}

// BenchmarkFleet is what a store of a fleet costs more than one that is alone, in turns: a hit as a ratio, and a put, which tells the agent, in
// nanoseconds. Nobody reads the news.
func BenchmarkFleet(b *testing.B) {
	const sessions, rounds = 500, 200
	alone, fleet := openShm(b, sharedMapping(b, MinSize)), openShm(b, newFleetMapping())
	one, other := testCache(b, alone, nil), testCache(b, fleet, nil)
	other.Tell(fleet.Window())
	put := func(c *sessioncache.Cache, n int) {
		id := testID(n)
		mustPut(b, c, originA, id, testDER(id, 0, ordinaryDER), 1<<32-2)
	}
	get := func(c *sessioncache.Cache, n int) {
		if _, _, ok := c.Get(ctx, originA, testID(n), nil); !ok {
			b.Fatal("a miss")
		}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, work := range []struct {
		name string
		do   func(c *sessioncache.Cache, n int)
	}{{"put", put}, {"hit", get}} {
		b.Run(work.name, func(b *testing.B) {
			for b.Loop() {
				var took [2][]time.Duration
				for round := range 2 * rounds {
					c := []*sessioncache.Cache{one, other}[round%2]
					began := threadTime()
					for n := range sessions {
						work.do(c, n)
					}
					took[round%2] = append(took[round%2], threadTime()-began)
				}
				var median [2]float64
				for i := range took {
					slices.Sort(took[i])
					median[i] = float64(took[i][rounds/2]) / sessions
				}
				b.ReportMetric(median[0], "ns-alone")
				b.ReportMetric(median[1]-median[0], "ns-more")
				b.ReportMetric(median[1]/median[0], "ratio")
			}
		})
	}
}
