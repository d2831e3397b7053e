package shm

import "math/bits"

// plan is what one Put knows of a set: which entry lies where and since when unused. It is
// made anew from the slot words each time, so there is no free list that a dying
// writer could leave broken. Units are the words of the set's data.
type plan struct {
	noted  []note   // by slot
	starts []uint64 // bitmap by unit: an entry begins here
	slots  []uint16 // by unit, whose entry; valid where starts says so

	// Made by sort: the entries by place, of those that begin before the end of where the new one may lie,
	// between two of no size at either end; the
	// first of the smallest gaps that are large enough; the least recently used entry.
	live   []extent
	gap    gap // none where it has no units
	oldest int // index into live, 0 where there is none

	newest  []int    // scratch of window
	victims []uint16 // slots: what made way
}

// note is what a slot word said, and how long ago its entry was used.
type note struct {
	slot uint64
	age  uint32
}

type gap struct{ start, units int }

// extent is the place of an entry.
type extent struct {
	start, end int32 // units
	age        uint32
	slot       uint16
}

func newPlan(slots, units int) *plan {
	return &plan{
		noted:  make([]note, slots),
		starts: make([]uint64, (units+63)/64),
		slots:  make([]uint16, units),
		live:   make([]extent, 0, slots+2),
		newest: make([]int, 0, slots),
	}
}

func (p *plan) reset() {
	clear(p.starts)
	p.victims = p.victims[:0]
}

// add notes the entry of a slot. False where another begins at the same place.
func (p *plan) add(n int, slot uint64, age uint32) bool {
	start := slotStart(slot)
	word, bit := &p.starts[start/64], uint64(1)<<(start%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	p.slots[start] = uint16(n)
	p.noted[n] = note{slot, age}
	return true
}

// sort puts the entries in order of place, as the bitmap has them, and looks for a
// gap of need units within the first units. It returns the
// slots of the entries that begin within another one, which it leaves out.
func (p *plan) sort(need, units int) (overlapping []int) {
	p.live = append(p.live[:0], extent{})
	p.gap, p.oldest = gap{}, 0
	end := int32(0)
	fit := func(start int32) {
		if free := int(start - end); free >= need && (p.gap.units == 0 || free < p.gap.units) {
			p.gap = gap{int(end), free}
		}
	}
	for i, set := range p.starts {
		for ; set != 0; set &= set - 1 {
			start := int32(i*64 + bits.TrailingZeros64(set))
			slot := p.slots[start]
			if start < end {
				overlapping = append(overlapping, int(slot))
				continue
			}
			n := p.noted[slot]
			fit(min(start, int32(units)))
			end = start + int32(slotUnits(n.slot))
			if start >= int32(units) {
				continue
			}
			if p.oldest == 0 || n.age > p.live[p.oldest].age {
				p.oldest = len(p.live)
			}
			p.live = append(p.live, extent{start, end, n.age, slot})
		}
	}
	fit(int32(units))
	p.live = append(p.live, extent{start: int32(units), end: int32(units)})
	return overlapping
}

// room is what is free once the entries from first to last are gone.
func (p *plan) room(first, last int) int {
	return int(p.live[last+1].start - p.live[first-1].end)
}

// window returns the neighbours, from first to last, that make way for need units:
// of all neighbours that would do, those whose most recently used one is the least
// recently used. Where one entry makes enough room that is plain LRU; where it
// takes several, LRU would empty half the set before two neighbours were gone.
func (p *plan) window(need int) (first, last int) {
	if p.room(p.oldest, p.oldest) >= need {
		return p.oldest, p.oldest // no other window can be older: most often this is it
	}
	best := int64(-1)
	newest := p.newest[:0] // of the window, those that are newer than all after them
	end := 0
	for begin := 1; begin < len(p.live)-1; begin++ {
		for end < begin || p.room(begin, end) < need {
			end++
			if end == len(p.live)-1 {
				return first, last
			}
			for len(newest) > 0 && p.live[newest[len(newest)-1]].age >= p.live[end].age {
				newest = newest[:len(newest)-1]
			}
			newest = append(newest, end)
		}
		if newest[0] < begin {
			newest = newest[1:]
		}
		if age := int64(p.live[newest[0]].age); age > best {
			best, first, last = age, begin, end
		}
	}
	return first, last
}
