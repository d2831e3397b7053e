package sessioncache

import (
	"container/list"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
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

// peerDER is the size of a TLS 1.2 session without a client certificate (P, Memory).
const peerDER = 133

var benchOrigin = Origin{ServerName: "www.example.org"}

// full is a cache that has been filled more than once, and the ids in it.
func full(b *testing.B, size int) (*Cache, [][]byte) {
	c := testCache(b, openShm(b, newMapping(size)), nil)
	var ids [][]byte
	for i := range size / 150 {
		ids = append(ids, testID(i))
		mustPut(b, c, benchOrigin, ids[i], testDER(ids[i], 0, peerDER), 1<<32-2)
	}
	kept := ids[:0]
	for _, id := range ids {
		if _, _, ok := c.Get(benchOrigin, id, nil); ok {
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
				if _, _, ok := c.Get(benchOrigin, ids[i%len(ids)], dst); !ok {
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
		if _, _, ok := c.Get(Origin{}, id, nil); ok {
			b.Fatal("hit")
		}
	}
}

func BenchmarkPut(b *testing.B) {
	for _, size := range benchSizes {
		for _, der := range []int{peerDER, 600, 8 << 10, MaxDER} {
			b.Run(fmt.Sprintf("%dMiB/%dB", size>>20, der), func(b *testing.B) {
				c, _ := full(b, size)
				var ids [][]byte
				for i := range 10000 {
					ids = append(ids, testID(-i))
				}
				s := Session{DER: testDER(ids[0], 0, der), Expires: 1<<32 - 2}
				b.ReportAllocs()
				b.ResetTimer()
				defer reportCPU(b)()
				for i := 0; b.Loop(); i++ {
					s.ID = ids[i%len(ids)]
					if _, err := c.Put(benchOrigin, s); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkGetByFill looks up any of so many sessions in a store that has room for twice as
// many: the last row wants 5 GiB of memory.
func BenchmarkGetByFill(b *testing.B) {
	for _, entries := range []int{1e3, 1e5, 1e7} {
		b.Run(fmt.Sprintf("%.0e", float64(entries)), func(b *testing.B) {
			if entries > 1e6 && testing.Short() {
				b.Skip("-short")
			}
			c := testCache(b, openShm(b, anonymous(b, max(MinSize, entries*432/4096*4096))), nil)
			var id [MaxID]byte
			name := func(n uint64) []byte {
				copy(id[:], fmt.Appendf(id[:0], "%032d", n))
				return id[:]
			}
			for n := range entries {
				mustPut(b, c, benchOrigin, name(uint64(n)), testDER(id[:], 0, peerDER), 1<<32-2)
			}
			rng := rand.New(rand.NewPCG(1, 1))
			wanted := make([][MaxID]byte, 1<<16) // so that naming them takes no time
			for i := range wanted {
				wanted[i] = [MaxID]byte(name(rng.Uint64N(uint64(entries))))
			}
			dst := make([]byte, 0, 4096)
			b.ReportAllocs()
			b.ResetTimer()
			defer reportCPU(b)()
			hits := 0
			for i := 0; b.Loop(); i++ {
				if _, _, ok := c.Get(benchOrigin, wanted[i%len(wanted)][:], dst); ok {
					hits++
				}
			}
			b.ReportMetric(100*float64(hits)/float64(b.N), "%hits")
		})
	}
}

// anonymous maps an empty store as the C half does, not on the heap.
func anonymous(b *testing.B, size int) []byte {
	b.Helper()
	mapping, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_ANONYMOUS)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { syscall.Munmap(mapping) })
	makeHeader(mapping)
	return mapping
}

// lru is a cache of so many sessions that evicts the least recently used one.
type lru struct {
	room  int
	used  *list.List
	where map[int]*list.Element
}

func (l *lru) get(n int) (hit bool) {
	e, hit := l.where[n]
	if hit {
		l.used.MoveToFront(e)
		return true
	}
	if l.used.Len() == l.room {
		delete(l.where, l.used.Remove(l.used.Back()).(int))
	}
	l.where[n] = l.used.PushFront(n)
	return false
}

// BenchmarkZipf looks sessions up that clients come back with as Zipf's law has it, ten times
// as many as there is room for, and stores those that are missed. It compares the hits with those
// of an ideal LRU of as many sessions as the store holds.
func BenchmarkZipf(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			s := openShm(b, newMapping(size))
			c := testCache(b, s, nil)
			capacity := 4900 * (size >> 20)
			zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 1)), 1.01, 1, uint64(10*capacity-1))
			ideal := lru{capacity, list.New(), map[int]*list.Element{}}
			var hits, want, n int
			dst := make([]byte, 0, 4096)
			step := func() {
				who := int(zipf.Uint64())
				id := testID(who)
				if _, _, ok := c.Get(benchOrigin, id, dst); ok {
					hits++
				} else {
					mustPut(b, c, benchOrigin, id, testDER(id, 0, peerDER), 1<<32-2)
				}
				if ideal.get(who) {
					want++
				}
				n++
			}
			for range 10 * capacity { // full, and its ideal too
				step()
			}
			ideal.room = int(s.Stats().Entries)
			for ideal.used.Len() > ideal.room {
				delete(ideal.where, ideal.used.Remove(ideal.used.Back()).(int))
			}
			hits, want, n = 0, 0, 0
			for b.Loop() {
				step()
			}
			b.ReportMetric(100*float64(hits)/float64(n), "%hits")
			b.ReportMetric(100*float64(want)/float64(n), "%hits-of-LRU")
		})
	}
}
