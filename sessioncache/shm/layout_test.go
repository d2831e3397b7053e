package shm

import (
	"testing"

	"gosess/sessioncache"
)

// TestGeometry looks at many sizes: every set must lie within the store, with room
// for the largest session.
func TestGeometry(t *testing.T) {
	for size := MinSize; size < 8<<20; size += 37 * 1024 {
		m, err := layoutOf(newMapping(size))
		if err != nil {
			t.Fatal(err)
		}
		last := m.setsAt + m.sets*m.setSize
		if last > len(m.w) || len(m.w)-last > m.sets*setHeaderSize {
			t.Errorf("%d: the sets end at word %d of %d", size, last, len(m.w))
		}
		if free := m.setsAt - m.rowsAt - m.rows*rowSize; free != 0 || m.setsAt%setHeaderSize != 0 || m.rowsAt != m.workersAt+m.workers*workerSize {
			t.Errorf("%d: the sets begin at word %d, behind %d workers and %d rows", size, m.setsAt, m.workers, m.rows)
		}
		if m.data(0)+m.units != m.setSize || m.setSize%setHeaderSize != 0 {
			t.Errorf("%d: a set of %d words, data to %d", size, m.setSize, m.data(0)+m.units)
		}
		if m.most(largeUnits+1) < unitsOf(sessioncache.MaxSealed) || sessioncache.MaxSealed > maxSealed ||
			m.units >= 1<<slotStartBits || m.units > hintUnits || setSlots >= 1<<16 {
			t.Errorf("%d: %d units, %d slots", size, m.units, setSlots)
		}
		for n := range setSlots {
			if at := m.slot(m.setsAt, n); m.number(m.setsAt, at) != n || at+ofSlot >= m.data(m.setsAt) || m.setOf(at) != m.setsAt {
				t.Errorf("%d: slot %d is at word %d", size, n, at)
			}
		}
	}
}

// TestSpots looks at where keys go: to each group as first, second and third one, and never to one group twice.
func TestSpots(t *testing.T) {
	m, err := layoutOf(newMapping(MinSize))
	if err != nil {
		t.Fatal(err)
	}
	seen := [keyGroups]map[int]int{{}, {}, {}}
	for n := range 20000 {
		p := m.spotOf((*sessioncache.LookupKey)(testID(n)))
		for i, at := range p.groups {
			seen[i][at]++
			if m.setOf(at) != p.set || (at-p.set-setHeaderSize)%groupSize != 0 || at+groupSize > m.data(p.set) {
				t.Fatalf("key %d: group at word %d of the set at %d", n, at, p.set)
			}
		}
		if p.groups[0] == p.groups[1] || p.groups[1] == p.groups[2] || p.groups[2] == p.groups[0] {
			t.Fatalf("key %d has a group twice", n)
		}
	}
	for i := range seen {
		if len(seen[i]) != m.sets*setGroups {
			t.Errorf("%d of %d groups have keys", len(seen[i]), m.sets*setGroups)
		}
	}
}

func TestSlotWord(t *testing.T) {
	for _, test := range []struct {
		start, length int
		tag, n        uint64
	}{{0, 1, 0, 0}, {1<<13 - 1, maxSealed, 1<<64 - 1, 1<<64 - 1}, {7, 177, routeTag | 5, 1 << 40}, {7, 177, 1<<12 - 1, 1<<23 - 2}} {
		slot := makeSlot(makePlace(test.start, test.length), test.tag, test.n)
		if slotStart(slot) != test.start || slotLength(slot) != test.length || slot&slotKey != shortTag(test.tag) ||
			slotUnits(slot) != unitsOf(test.length) ||
			!isLive(slot) || isSession(slot) != (test.tag&routeTag == 0) || isLive(placeOf(slot)) {
			t.Errorf("%+v: %#x", test, slot)
		}
	}
	if makeSlot(1, 1, 1) == makeSlot(1, 1, 2) || makeSlot(1, 1, 1) == makeSlot(1, 2, 1) {
		t.Error("entries look the same")
	}
}

func TestTimes(t *testing.T) {
	for use := range uint64(uses) {
		times := makeTimes(1<<32-1, use, 1<<lifeBits-1, 1<<40+7)
		if timesExpires(times) != 1<<32-1 || timesUse(times) != use || timesLife(times) != 1<<lifeBits-1 || times&stampMask != 7 {
			t.Errorf("use %d: %#x", use, times)
		}
	}
}

// How long an entry is to live is kept to 3 %.
func TestLife(t *testing.T) {
	for seconds := uint32(0); seconds < 1<<31; seconds += 1 + seconds/100 {
		life := lifeOf(seconds)
		if life >= 1<<lifeBits {
			t.Fatalf("%d s: %#x", seconds, life)
		}
		if got := lifeSeconds(life); 32*max(int64(got)-int64(seconds), int64(seconds)-int64(got)) > int64(seconds) {
			t.Errorf("%d s are %d s", seconds, got)
		}
	}
	if lifeOf(1<<32-1) >= 1<<lifeBits {
		t.Error("the longest")
	}
}
