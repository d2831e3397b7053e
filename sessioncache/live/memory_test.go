package live

import (
	"crypto/sha256"
	"fmt"
	"os"
	"reflect"
	"testing"
	"unsafe"

	"gosess/sessioncache"
)

// objects stands in for the sessions of a C library: objects whose references are
// counted, named by the positions of the counts.
type objects struct {
	t    testing.TB
	refs []int
}

// add makes an object with one reference, the caller's.
func (o *objects) add() Object {
	o.refs = append(o.refs, 1)
	return Object(len(o.refs) - 1)
}

func (o *objects) ref(object Object) {
	if o.refs[object] < 1 {
		o.t.Fatalf("object %d is used after its last reference", object)
	}
	o.refs[object]++
}

func (o *objects) free(object Object) {
	if o.refs[object]--; o.refs[object] < 0 {
		o.t.Fatalf("object %d has lost a reference", object)
	}
}

const testNow = 1700000000

// testID is the n-th session id.
func testID(n int) []byte {
	id := sha256.Sum256(fmt.Appendf(nil, "id %d", n))
	return id[:]
}

// named is what asks under a server name, and says nothing of the terms.
func named(serverName string) Asked { return Asked{ServerName: serverName} }

// newMemory is a Memory over a budget that none of the tests uses up.
func newMemory(t *testing.T) (*Memory, *objects, *Budget) {
	o := &objects{t: t}
	b := NewBudget(1 << 30)
	return NewMemory(b, o.ref), o, b
}

func mustAdd(t *testing.T, m *Memory, s Session) {
	t.Helper()
	if added, leaving := m.Put(s, 0); !added || len(leaving) != 0 {
		t.Fatalf("Put: added %v, leaving %v", added, leaving)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, not %v", what, got, want)
	}
}

func TestMemoryPutGet(t *testing.T) {
	m, o, b := newMemory(t)
	id, name := testID(1), []byte("A.example")
	if _, ok := m.Get(id, named("")); ok || m.Len() != 0 || m.Flush(0) != nil {
		t.Error("an empty Memory holds something")
	}
	one := o.add()
	mustAdd(t, m, Session{id, named(unsafe.String(&name[0], len(name))), testNow, 1000, one})
	clear(id) // neither is referred to afterwards
	clear(name)
	id = testID(1)

	got, ok := m.Get(id, named("a.EXAMPLE"))
	if !ok || got != one || o.refs[one] != 2 {
		t.Errorf("Get: object %d, %v, %d references", got, ok, o.refs[one])
	}
	o.free(got)
	for _, other := range []string{"a.exampl", "a.example.", "b.example", "a\x0eexample", "\xc1.example"} {
		if _, ok := m.Get(id, named(other)); ok {
			t.Errorf("a hit as %q", other)
		}
		if _, ok := m.Take(id, named(other)); ok {
			t.Errorf("taken as %q", other)
		}
	}
	if _, ok := m.Get(testID(2), named("a.example")); ok {
		t.Error("a hit for another id")
	}
	if o.refs[one] != 1 || m.Len() != 1 {
		t.Errorf("%d references, %d sessions", o.refs[one], m.Len())
	}
	st := b.Stats()
	equal(t, "counters", st.Total, sessioncache.Counters{sessioncache.Hits: 1, sessioncache.Misses: 12, sessioncache.Stores: 1})
	used := uint64(1000 + len("a.example") + entryOverhead)
	if st.Entries != 1 || st.Used != used || st.Capacity != 1<<30 || st.Size != 1<<30 || st.Created == 0 {
		t.Errorf("stats: %+v", st)
	}
	equal(t, "workers", st.Workers, []sessioncache.Worker{{PID: os.Getpid(), Started: st.Created, Live: true, Counters: st.Total}})
}

func TestMemoryTake(t *testing.T) {
	m, o, b := newMemory(t)
	one := o.add()
	mustAdd(t, m, Session{testID(1), named("a"), testNow, 1000, one})
	got, ok := m.Take(testID(1), named("A"))
	if !ok || got != one || o.refs[one] != 1 {
		t.Errorf("Take: object %d, %v, %d references", got, ok, o.refs[one])
	}
	if _, ok := m.Take(testID(1), named("a")); ok {
		t.Error("taken twice")
	}
	if _, ok := m.Get(testID(1), named("a")); ok {
		t.Error("a hit for what was taken")
	}
	st := b.Stats()
	equal(t, "counters", st.Total, sessioncache.Counters{sessioncache.Hits: 1, sessioncache.Misses: 2, sessioncache.Stores: 1})
	if st.Entries != 0 || st.Used != 0 || m.Len() != 0 {
		t.Errorf("stats: %+v", st)
	}
}

func TestMemoryReplace(t *testing.T) {
	m, o, b := newMemory(t)
	one, other := o.add(), o.add()
	s := Session{testID(1), named(""), testNow, 1000, one}
	if added, leaving := m.Put(s, 1); !added || leaving != nil {
		t.Errorf("first: %v, %v", added, leaving)
	}
	if added, leaving := m.Put(s, 1); added || leaving != nil {
		t.Errorf("same object: %v, %v", added, leaving)
	}
	s.Object, s.Size = other, 500
	added, leaving := m.Put(s, 1) // takes nobody's place but the first one's
	if !added {
		t.Error("not added")
	}
	equal(t, "leaving", leaving, []Leaving{{one, Replaced}})
	st := b.Stats()
	equal(t, "counters", st.Total, sessioncache.Counters{sessioncache.Stores: 2})
	if st.Entries != 1 || st.Used != 500+entryOverhead || m.Len() != 1 {
		t.Errorf("stats: %+v", st)
	}
}

// TestMemorySameObject moves a session in time, as UPDATE_TIME does.
func TestMemorySameObject(t *testing.T) {
	m, o, _ := newMemory(t)
	s := Session{testID(1), named(""), testNow, 1000, o.add()}
	mustAdd(t, m, s)
	mustAdd(t, m, Session{testID(2), named(""), testNow + 5, 1000, o.add()})
	s.Expires = testNow + 10
	if added, _ := m.Put(s, 0); added {
		t.Error("added again")
	}
	equal(t, "order", m.Flush(0), []Object{1, 0})
}

func TestMemoryRemove(t *testing.T) {
	m, o, b := newMemory(t)
	one := o.add()
	mustAdd(t, m, Session{testID(1), named("a"), testNow, 1000, one})
	yes := func(Object) bool { return true }
	if _, ok := m.Remove(testID(2), yes); ok {
		t.Error("removed what is not there")
	}
	// L15: somebody else's session under an id that he saw.
	if _, ok := m.Remove(testID(1), func(kept Object) bool { return kept != one }); ok {
		t.Error("removed another session")
	}
	if got, ok := m.Remove(testID(1), yes); !ok || got != one {
		t.Errorf("Remove: object %d, %v", got, ok)
	}
	if _, ok := m.Remove(testID(1), yes); ok || m.Len() != 0 {
		t.Error("removed twice")
	}
	equal(t, "counters", b.Stats().Total, sessioncache.Counters{sessioncache.Stores: 1, sessioncache.Removals: 1})
}

// TestMemoryOrder evicts and flushes sessions that were put in no order.
func TestMemoryOrder(t *testing.T) {
	expires := []int64{7, 3, 9, 3, 5, 9, 3, 1}
	inOrder := []Object{7, 1, 3, 6, 4, 0, 2, 5}
	fill := func() (*Memory, *Budget) {
		m, o, b := newMemory(t)
		for n, e := range expires {
			mustAdd(t, m, Session{testID(n), named(""), e, 1000, o.add()})
		}
		return m, b
	}

	m, b := fill()
	equal(t, "expired by 3", m.Flush(3), []Object{7})
	equal(t, "expired by 6", m.Flush(6), []Object{1, 3, 6, 4})
	equal(t, "expired by 7", len(m.Flush(7)), 0)
	equal(t, "counters", b.Stats().Total, sessioncache.Counters{sessioncache.Stores: 8, sessioncache.Expiries: 5})
	equal(t, "the rest", m.Flush(0), []Object{0, 2, 5})
	equal(t, "counters", b.Stats().Total, sessioncache.Counters{sessioncache.Stores: 8, sessioncache.Expiries: 5, sessioncache.Removals: 3})

	m, b = fill()
	for n, want := range inOrder {
		_, leaving := m.Put(Session{testID(100 + n), named(""), 1000, 1000, Object(100 + n)}, len(expires))
		equal(t, "evicted", leaving, []Leaving{{want, Evicted}})
	}
	equal(t, "sessions", m.Len(), len(expires))
	equal(t, "counters", b.Stats().Total, sessioncache.Counters{sessioncache.Stores: 16, sessioncache.Evictions: 8})
}

func TestMemoryLimit(t *testing.T) {
	m, o, _ := newMemory(t)
	put := func(n, limit int, expires int64) []Leaving {
		added, leaving := m.Put(Session{testID(n), named(""), expires, 1000, o.add()}, limit)
		if !added {
			t.Errorf("session %d was not added", n)
		}
		return leaving
	}
	for n := range 5 {
		equal(t, "leaving", put(n, 5, 10), []Leaving(nil))
	}
	// The new one stays, even if it is the first to expire.
	equal(t, "leaving", put(5, 5, 1), []Leaving{{0, Evicted}})
	equal(t, "leaving", put(6, 5, 10), []Leaving{{5, Evicted}})
	equal(t, "leaving", put(7, 2, 10), []Leaving{{1, Evicted}, {2, Evicted}, {3, Evicted}, {4, Evicted}})
	equal(t, "leaving", put(8, 0, 10), []Leaving(nil))
	equal(t, "leaving", put(9, -1, 10), []Leaving(nil))
	equal(t, "sessions", m.Len(), 4)
}

func TestMemoryBudget(t *testing.T) {
	const size = 1000
	b := NewBudget(3 * (size + entryOverhead))
	o := &objects{t: t}
	one, two := NewMemory(b, o.ref), NewMemory(b, o.ref)
	put := func(m *Memory, n, size int) []Leaving {
		added, leaving := m.Put(Session{testID(n), named(""), testNow, size, o.add()}, 0)
		if !added {
			t.Errorf("session %d was not added", n)
		}
		return leaving
	}
	for n := range 3 {
		equal(t, "leaving", put(one, n, size), []Leaving(nil))
	}
	equal(t, "leaving", put(one, 3, size), []Leaving{{0, Evicted}})
	equal(t, "leaving", put(one, 4, size+1), []Leaving{{1, Evicted}, {2, Evicted}})
	equal(t, "sessions", one.Len(), 2)

	// Nothing leaves another context's Memory, and the new one is kept all the same.
	equal(t, "leaving", put(two, 5, size), []Leaving(nil))
	equal(t, "leaving", put(two, 6, size), []Leaving{{5, Evicted}})
	equal(t, "used", b.Stats().Used, uint64(3*(size+entryOverhead)+1))
	// One that uses less room than the one it replaces takes nobody's.
	equal(t, "leaving", put(one, 4, size), []Leaving{{4, Replaced}})
	equal(t, "used", b.Stats().Used, uint64(3*(size+entryOverhead)))

	// What can never fit is refused, and takes nobody's place.
	largest := 3*(size+entryOverhead) - entryOverhead
	if added, leaving := two.Put(Session{testID(8), named(""), testNow, largest + 1, 100}, 0); added || leaving != nil {
		t.Errorf("too big: %v, %v", added, leaving)
	}
	one.Flush(0)
	equal(t, "leaving", put(two, 9, largest), []Leaving{{6, Evicted}})
	two.Flush(0)
	st := b.Stats()
	if st.Used != 0 || st.Entries != 0 || st.Total[sessioncache.TooBig] != 1 || st.Total[sessioncache.Stores] != 9 || st.Total[sessioncache.Evictions] != 5 {
		t.Errorf("stats: %+v", st)
	}
}

// under is what asks under a name, and terms of another.
func under(serverName string, terms Asked) Asked {
	return Asked{ServerName: serverName, Terms: terms.Terms}
}

// None is no other name, for what is kept and for who asks, where the terms are known to be the same.
func TestMemoryNoName(t *testing.T) {
	m, o, _ := newMemory(t)
	same, other := Asked{Terms: [32]byte{1}}, Asked{Terms: [32]byte{2}}
	mustAdd(t, m, Session{testID(1), same, testNow, 1000, o.add()})
	mustAdd(t, m, Session{testID(2), under("a", same), testNow, 1000, o.add()})
	mustAdd(t, m, Session{testID(3), Asked{}, testNow, 1000, o.add()})
	mustAdd(t, m, Session{testID(4), Asked{AnyName: true}, testNow, 1000, o.add()})
	for _, test := range []struct {
		id    int
		asked Asked
		ok    bool
	}{
		{1, same, true},
		{1, other, false},
		{1, Asked{}, true}, // libssl's own rule, within one context
		{1, under("a", same), true},
		{1, under("a", other), false},
		{1, Asked{ServerName: "a"}, false},
		{2, same, true},
		{2, other, false},
		{2, Asked{}, false},
		{2, under("A", same), true},
		{2, under("A", other), false},
		{2, Asked{ServerName: "A"}, true},
		{2, under("b", same), false},
		{4, under("a", same), true},
		{4, Asked{}, true},
		{3, Asked{}, true},
		{3, same, true},
		{3, Asked{ServerName: "a"}, false}, // unknown is not equal
		{2, Asked{ServerName: "a", Late: true}, true},
		{2, Asked{ServerName: "a", Late: true, Generation: 1}, false},
		{2, Asked{ServerName: "a", Generation: 1}, true},
		{2, Asked{ServerName: "a", Own: 1}, true},
		{2, Asked{ServerName: "a", Own: 1, Demands: true}, false},
		{2, Asked{ServerName: "a", Demands: true}, true},
	} {
		if object, ok := m.Get(testID(test.id), test.asked); ok != test.ok || ok && object != Object(test.id-1) {
			t.Errorf("session %d as %q, terms %d: object %d, %v", test.id, test.asked.ServerName, test.asked.Terms[0], object, ok)
		}
	}
	if object, ok := m.Take(testID(2), same); !ok || object != 1 {
		t.Errorf("Take: object %d, %v", object, ok)
	}
}

// TestMemoryLargeObjects lets large sessions come to a full Memory: they push out each other.
func TestMemoryLargeObjects(t *testing.T) {
	const small, large, count = 1000, 50000, 400
	b := NewBudget(count * (small + entryOverhead))
	o := &objects{t: t}
	m := NewMemory(b, o.ref)
	for n := range count {
		mustAdd(t, m, Session{testID(n), named(""), testNow + 1, small, o.add()})
	}
	for n := range 100 {
		if added, _ := m.Put(Session{testID(count + n), named(""), testNow + 1, large, o.add()}, 0); !added {
			t.Fatal("not added")
		}
	}
	kept := 0
	for n := range count {
		if _, ok := m.Get(testID(n), named("")); ok {
			kept++
		}
	}
	if kept < count*3/4 || kept > count*3/4+large/small || b.large.Load() > b.bytes/largeBudgetPart {
		t.Errorf("%d of %d small sessions are left, the large ones take %d of %d", kept, count, b.large.Load(), b.bytes)
	}
	// One alone may not be larger than their part, and small ones take all of it back.
	if added, leaving := m.Put(Session{testID(-1), named(""), testNow, count * (small + entryOverhead) / 4, 1000}, 0); added || leaving != nil {
		t.Errorf("added %v, leaving %v", added, leaving)
	}
	for n := range count {
		m.Put(Session{testID(10000 + n), named(""), testNow + 2, small, o.add()}, 0)
	}
	if b.large.Load() != 0 || m.Len() != count {
		t.Errorf("the large ones take %d bytes of %d sessions", b.large.Load(), m.Len())
	}
}
