//go:build !race

package live

import (
	"runtime"
	"testing"
)

func TestMemoryNoAllocations(t *testing.T) {
	m, o, _ := newMemory(t)
	id := testID(1)
	mustAdd(t, m, Session{id, named("www.example.org"), testNow, 1000, o.add()})
	if n := testing.AllocsPerRun(1000, func() {
		if _, ok := m.Get(id, named("WWW.example.org")); !ok {
			t.Fatal("miss")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestMemoryOverhead measures what the budget counts beside the objects.
func TestMemoryOverhead(t *testing.T) {
	const sessions = 20480 // what libssl keeps where nobody says otherwise
	heap := func() uint64 {
		var st runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&st)
		return st.HeapAlloc
	}
	b := NewBudget(1 << 30)
	m := NewMemory(b, func(Object) {})
	before := heap()
	for n := range sessions {
		mustAdd(t, m, Session{testID(n), named(""), testNow, 0, Object(n)})
	}
	each := float64(heap()-before) / sessions
	runtime.KeepAlive(m)
	t.Logf("%.1f bytes for each session", each)
	if each > entryOverhead || each < entryOverhead/2 {
		t.Errorf("%.1f bytes for each session, not %d", each, entryOverhead)
	}
}
