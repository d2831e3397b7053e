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
		if free := m.setsAt - m.workersAt - m.workers*workerSize; free < 0 || free >= setHeaderSize || m.setsAt%setHeaderSize != 0 {
			t.Errorf("%d: the sets begin at word %d, behind %d workers", size, m.setsAt, m.workers)
		}
		if m.data(0)+m.units != m.setSize || m.setSize%setHeaderSize != 0 {
			t.Errorf("%d: a set of %d words, data to %d", size, m.setSize, m.data(0)+m.units)
		}
		if store := (Store{writer: writer{layout: m}}); store.most(largeUnits+1) < unitsOf(sessioncache.MaxSealed) ||
			m.units >= 1<<metaStartBits || m.slots >= 1<<16 {
			t.Errorf("%d: %d units, %d slots", size, m.units, m.slots)
		}
	}
}

func TestMeta(t *testing.T) {
	for _, test := range []struct {
		start, length int
		generation    uint64
	}{{0, 1, 0}, {1<<16 - 1, maxSealed, 1<<31 - 1}, {7, 177, 1 << 40}} {
		meta := makeMeta(test.start, test.length, test.generation)
		if metaStart(meta) != test.start || metaLength(meta) != test.length {
			t.Errorf("%+v: start %d, length %d", test, metaStart(meta), metaLength(meta))
		}
	}
	if makeMeta(1, 1, 1) == makeMeta(1, 1, 2) {
		t.Error("generations look the same")
	}
}
