package shm

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"gosess/sessioncache"
)

// sharedMapping is an empty store as a server has it, with the kernel's small pages.
func sharedMapping(b *testing.B, size int) []byte {
	mapping, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_ANON)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := syscall.Munmap(mapping); err != nil {
			b.Error(err)
		}
	})
	makeHeader(mapping)
	return mapping
}

// BenchmarkEntries is what the number of entries costs a lookup and a store, in a store with
// a little more room than that.
func BenchmarkEntries(b *testing.B) {
	const room = 256 // bytes for each entry
	for _, entries := range []int{1e3, 1e4, 1e5, 1e6, 1e7} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			size := max(MinSize, entries*room&^0xfff)
			c := testCache(b, openShm(b, sharedMapping(b, size)), nil)
			fill(b, c, entries)
			rng := rand.New(rand.NewPCG(1, 2))
			// As many for each size: the ids themselves come from memory too.
			var kept, fresh [][]byte
			for len(kept) < 1e5 {
				id := testID(rng.IntN(entries))
				if _, _, ok := c.Get(ctx, sessioncache.Origin{}, id, nil); ok {
					kept = append(kept, id)
				}
				fresh = append(fresh, testID(entries+len(fresh)))
			}
			b.Run("get", func(b *testing.B) {
				dst := make([]byte, 0, 4096)
				for i := 0; b.Loop(); i++ {
					if _, _, ok := c.Get(ctx, sessioncache.Origin{}, kept[i%len(kept)], dst); !ok {
						b.Fatal("miss")
					}
				}
			})
			b.Run("put", func(b *testing.B) {
				s := sessioncache.Session{DER: testDER(fresh[0], 0, ordinaryDER), Expires: 1<<32 - 2}
				for i := 0; b.Loop(); i++ {
					s.ID = fresh[i%len(fresh)]
					if _, err := c.Put(ctx, sessioncache.Origin{}, s); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// fill stores sessions with the ids from 0, by two goroutines.
func fill(b *testing.B, c *sessioncache.Cache, entries int) {
	const writers = 2
	der := testDER(testID(0), 0, ordinaryDER)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := w; n < entries; n += writers {
				_, err := c.Put(ctx, sessioncache.Origin{}, sessioncache.Session{ID: testID(n), DER: der, Expires: 1<<32 - 2})
				// On a busy machine one writer may be held up in the middle of a write.
				if err != nil && err != sessioncache.ErrInterrupted && err != sessioncache.ErrBusy {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}
