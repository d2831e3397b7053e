package shm

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
)

// reportCPU reports the processor time of an operation beside its duration, which is that of
// whoever else runs on the machine too. Call what it returns at the end.
func reportCPU(b *testing.B) func() {
	used := func() time.Duration {
		var usage syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	begun := used()
	return func() { b.ReportMetric(float64((used()-begun).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

// peerDER is the size of a TLS 1.2 session without a client certificate (P8).
const peerDER = 133

var benchOrigin = sessioncache.Origin{ServerName: "www.example.org"}

// full is a cache that has been filled more than once, and the ids in it.
func full(b *testing.B, size int) (*sessioncache.Cache, [][]byte) {
	c := testCache(b, openShm(b, newMapping(size)), nil)
	var ids [][]byte
	for i := range size / 150 {
		ids = append(ids, testID(i))
		mustPut(b, c, benchOrigin, ids[i], testDER(ids[i], 0, peerDER), 1<<32-2)
	}
	kept := ids[:0]
	for _, id := range ids {
		if _, _, ok := c.Get(ctx, benchOrigin, id, nil); ok {
			kept = append(kept, id)
		}
	}
	return c, kept
}

var benchSizes = []int{1 << 20, 64 << 20}

func BenchmarkGet(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			c, ids := full(b, size)
			dst := make([]byte, 0, 4096)
			b.ReportAllocs()
			b.ResetTimer()
			defer reportCPU(b)()
			for i := 0; b.Loop(); i++ {
				if _, _, ok := c.Get(ctx, benchOrigin, ids[i%len(ids)], dst); !ok {
					b.Fatal("miss")
				}
			}
		})
	}
}

func BenchmarkMiss(b *testing.B) {
	c, _ := full(b, 1<<20)
	id := testID(-1)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := c.Get(ctx, sessioncache.Origin{}, id, nil); ok {
			b.Fatal("hit")
		}
	}
}

func BenchmarkPut(b *testing.B) {
	for _, size := range benchSizes {
		for _, der := range []int{peerDER, 600, sessioncache.MaxDER} {
			b.Run(fmt.Sprintf("%dMiB/%dB", size>>20, der), func(b *testing.B) {
				c, _ := full(b, size)
				var ids [][]byte
				for i := range 10000 {
					ids = append(ids, testID(-i))
				}
				s := sessioncache.Session{DER: testDER(ids[0], 0, der), Expires: 1<<32 - 2}
				b.ReportAllocs()
				b.ResetTimer()
				defer reportCPU(b)()
				for i := 0; b.Loop(); i++ {
					s.ID = ids[i%len(ids)]
					if _, err := c.Put(ctx, benchOrigin, s); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
