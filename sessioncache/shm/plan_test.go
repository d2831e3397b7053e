package shm

import (
	"math/rand/v2"
	"testing"
)

// TestWindow compares the neighbours that make way with all that could.
func TestWindow(t *testing.T) {
	const units = 1000
	rng := rand.New(rand.NewPCG(2, 0))
	for range 3000 {
		p := newPlan(100, units)
		p.reset()
		for slot, at := 0, rng.IntN(20); slot < 100; slot++ {
			length := 1 + rng.IntN(30*wordSize)
			if at+unitsOf(length) > units {
				break
			}
			p.add(slot, makePlace(at, length), rng.Uint32N(1000))
			at += unitsOf(length) + max(0, rng.IntN(20)-10)
		}
		need := 1 + rng.IntN(units)
		if overlapping := p.sort(need, units); len(overlapping) > 0 {
			t.Fatal("overlapping entries")
		}
		smallest, best := units+1, int64(-1)
		for i := 1; i < len(p.live); i++ {
			if gap := p.room(i, i-1); gap >= need {
				smallest = min(smallest, gap)
			}
			age := int64(1) << 40
			for j := i; j < len(p.live)-1; j++ {
				age = min(age, int64(p.live[j].age))
				if p.room(i, j) >= need {
					best = max(best, age)
				}
			}
		}
		if smallest <= units {
			for i := 1; i < len(p.live); i++ {
				if int(p.live[i-1].end) == p.gap.start && p.gap.units > 0 && p.room(i, i-1) != smallest {
					t.Fatalf("a gap of %d units, %d would do", p.room(i, i-1), smallest)
				}
			}
		}
		if (p.gap.units > 0) != (smallest <= units) {
			t.Fatalf("gap at %+v, the smallest is %d", p.gap, smallest)
		}
		if p.oldest == 0 {
			continue
		}
		first, last := p.window(need)
		age := int64(1) << 40
		for _, e := range p.live[first : last+1] {
			age = min(age, int64(e.age))
		}
		if p.room(first, last) < need || age != best {
			t.Fatalf("entries %d to %d: room %d for %d, age %d, best %d", first, last, p.room(first, last), need, age, best)
		}
	}
}
