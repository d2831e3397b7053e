package shm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gosess/sessioncache"
)

// TestSizesThatDifferByLittle lets few clients, who use each session once and get another one for it, renew sessions of two
// sizes, as sessions of one kind have: a number in one takes a byte more at times. The store is full of what was used
// up, which makes way, whatever its size is, and not what is new.
func TestSizesThatDifferByLittle(t *testing.T) {
	const clients = 200 // 15 % of the room
	renewals := 3000 * thorough
	for _, oneOf := range []int{2, 10, 100} {
		t.Run(fmt.Sprintf("one of %d is larger", oneOf), func(t *testing.T) {
			s := openShm(t, newMapping(MinSize))
			c := testCache(t, s, nil)
			rng := rand.New(rand.NewPCG(1, 2))
			held := make([][]byte, clients)
			lost := 0
			for n := range 2*renewals + clients {
				client := n % clients
				if held[client] != nil {
					if _, _, ok := c.Spend(ctx, originA, held[client], nil); !ok {
						lost++
					}
				}
				size := 600
				if rng.IntN(oneOf) == 0 {
					size += wordSize
				}
				held[client] = testID(n)
				mustPut(t, c, originA, held[client], testDER(held[client], 0, size), 1<<32-2)
			}
			checkStore(t, s)
			if s.stats().Total[sessioncache.Evictions] < uint64(renewals) {
				t.Errorf("the store was not full: %+v", s.stats().Total)
			}
			if lost > renewals/500 {
				t.Errorf("%d of %d fresh sessions were lost", lost, 2*renewals)
			}
		})
	}
}
