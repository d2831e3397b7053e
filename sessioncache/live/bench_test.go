package live

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// benchMemory is a Memory of as many sessions as libssl keeps where nobody says
// otherwise, and their ids. References are counted as libssl counts them.
func benchMemory(b *testing.B) (*Memory, [][]byte) {
	const sessions = 20480
	references := make([]atomic.Int32, sessions+1)
	m := NewMemory(NewBudget(1<<30), func(o Object) { references[o].Add(1) })
	var ids [][]byte
	for n := range sessions {
		ids = append(ids, testID(n))
		m.Put(Session{ids[n], named("www.example.org"), testNow, 1000, Object(n + 1)}, 0)
	}
	return m, ids
}

func BenchmarkMemoryGet(b *testing.B) {
	for _, sessions := range []int{1, 20480} {
		b.Run(fmt.Sprintf("%dsessions", sessions), func(b *testing.B) {
			m, ids := benchMemory(b)
			var start atomic.Uint32
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for n := int(start.Add(7919)); pb.Next(); n++ {
					if _, ok := m.Get(ids[n%sessions], named("www.example.org")); !ok {
						b.Error("miss")
					}
				}
			})
		})
	}
}

// BenchmarkMemoryPut puts in a full Memory, where another session leaves for each.
func BenchmarkMemoryPut(b *testing.B) {
	m, ids := benchMemory(b)
	for n := range ids {
		ids[n] = testID(-n)
	}
	var puts atomic.Uint32
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := int(puts.Add(1))
			m.Put(Session{ids[n%len(ids)], named("www.example.org"), testNow, 1000, Object(n)}, len(ids)/2)
		}
	})
}
