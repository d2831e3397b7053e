package shm

import (
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"gosess/sessioncache"
)

// threadCPU is the processor time of the calling thread, of which what the rest of the machine does is no part.
func threadCPU() time.Duration {
	const clockThreadCPU = 3 // CLOCK_THREAD_CPUTIME_ID
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPU, uintptr(unsafe.Pointer(&t)), 0)
	return time.Duration(t.Nano())
}

// BenchmarkWorstPut is the processor time of the slowest of a thousand stores into a full store. The same trace
// is played five times from the beginning, and of each store the least counts: interrupts and cold caches hit another one each time,
// and what the store's own work takes stays. Sizes: of three sessions each takes another number of words.
func BenchmarkWorstPut(b *testing.B) {
	const (
		replays = 5
		puts    = 20_000
	)
	for _, work := range []struct {
		name       string
		size, more int
	}{{"1MiB", 1 << 20, 0}, {"64MiB", 64 << 20, 0}, {"1MiB,sizes", 1 << 20, wordSize}} {
		b.Run(work.name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
			least := make([]time.Duration, puts)
			for b.Loop() {
				for n := range least {
					least[n] = math.MaxInt64
				}
				for range replays {
					c, kept := full(b, work.size)
					for n := range puts {
						// Every second session comes back meanwhile, so that what makes way lies anywhere.
						c.Get(ctx, benchOrigin, kept[n*2%len(kept)], nil)
						id := testID(-1 - n)
						s := sessioncache.Session{ID: id, DER: testDER(id, 0, peerDER+n%3*work.more), Expires: 1<<32 - 2}
						begun := threadCPU()
						if _, err := c.Put(ctx, benchOrigin, s); err != nil {
							b.Fatal(err)
						}
						least[n] = min(least[n], threadCPU()-begun)
					}
				}
			}
			begun := threadCPU()
			clock := threadCPU() - begun
			slices.Sort(least)
			b.ReportMetric(float64(least[puts*999/1000]-clock), "p99.9-ns")
			b.ReportMetric(float64(least[puts/2]-clock), "p50-ns")
			b.ReportMetric(float64(least[puts-1]-clock), "max-ns")
		})
	}
}
