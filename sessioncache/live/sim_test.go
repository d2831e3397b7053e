package live

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gosess/sessioncache"
)

// memoryModel says what a Memory should hold, in the order in which it should leave.
type memoryModel struct {
	m    *Memory
	kept []modelLive
}

type modelLive struct {
	id      int
	name    string
	expires int64
	size    int64 // in the budget
	object  Object
}

func (l modelLive) large() bool { return l.size-int64(len(l.name))-entryOverhead > largeObject }

func (mm *memoryModel) find(id int) int {
	return slices.IndexFunc(mm.kept, func(s modelLive) bool { return s.id == id })
}

func (mm *memoryModel) add(s modelLive) {
	at := slices.IndexFunc(mm.kept, func(kept modelLive) bool { return kept.expires > s.expires })
	if at < 0 {
		at = len(mm.kept)
	}
	mm.kept = slices.Insert(mm.kept, at, s)
}

func (mm *memoryModel) remove(at int) modelLive {
	s := mm.kept[at]
	mm.kept = slices.Delete(mm.kept, at, at+1)
	return s
}

// memorySim does things to two Memories that share a budget, and to their models. Of the
// four bytes of a step the first says what to do to which, the second to which session.
type memorySim struct {
	t      testing.TB
	o      *objects
	budget *Budget
	models [2]memoryModel
	want   sessioncache.Counters
	now    int64
}

const (
	simStep   = 4
	simIDs    = 25
	simBudget = 100000 // bytes; two large sessions have room in their part of it
	simUnit   = 40     // sizes, of which some are large
)

func runMemorySim(t testing.TB, steps []byte) sessioncache.Counters {
	s := &memorySim{t: t, o: &objects{t: t}, budget: NewBudget(simBudget), now: testNow}
	for n := range s.models {
		s.models[n].m = NewMemory(s.budget, s.o.ref)
	}
	for ; len(steps) >= simStep; steps = steps[simStep:] {
		s.step(&s.models[steps[0]&1], steps[0]>>1, int(steps[1])%simIDs, steps[2], steps[3])
		s.check()
	}
	did := s.want
	for n := range s.models {
		s.flush(&s.models[n], 0)
	}
	s.check()
	for object, refs := range s.o.refs {
		if refs != 0 {
			t.Errorf("object %d has %d references", object, refs)
		}
	}
	return did
}

func (s *memorySim) step(mm *memoryModel, what byte, id int, a, b byte) {
	at := mm.find(id)
	name := []string{"", "a.example", "B.example"}[id%3]
	asked := strings.ToUpper(name)
	if a == 0 {
		asked = "c.example"
	}
	if a == 1 {
		asked = ""
	}
	hit := at >= 0 && (asked != "c.example" || name == "")
	switch what % 8 {
	case 0, 1, 2:
		size := int(b) * simUnit
		if b == 255 {
			size = simBudget
		}
		s.put(mm, modelLive{id, name, s.now + int64(a)%8, int64(size + len(name) + entryOverhead), s.o.add()}, int(what>>3)*2)
	case 3:
		if at >= 0 {
			again := mm.kept[at]
			again.expires = s.now + int64(a)%8
			s.put(mm, again, int(b)%simIDs)
		}
	case 4:
		object, ok := mm.m.Get(testID(id), Asked{ServerName: asked, Terms: [32]byte{1}})
		s.got("Get", mm, at, hit, object, ok)
		if ok {
			s.o.free(object)
		}
	case 5:
		object, ok := mm.m.Take(testID(id), Asked{ServerName: asked, Terms: [32]byte{1}})
		s.got("Take", mm, at, hit, object, ok)
		if ok {
			mm.remove(at)
			s.o.free(object)
		}
	case 6:
		agree := a&1 == 0
		object, ok := mm.m.Remove(testID(id), func(kept Object) bool {
			if at < 0 || kept != mm.kept[at].object {
				s.t.Fatalf("Remove of session %d found object %d", id, kept)
			}
			return agree
		})
		if ok != (at >= 0 && agree) || ok && object != mm.kept[at].object {
			s.t.Fatalf("Remove of session %d: object %d, %v", id, object, ok)
		}
		if ok {
			s.want[sessioncache.Removals]++
			mm.remove(at)
			s.o.free(object)
		}
	case 7:
		if a < 64 {
			s.now++
		}
		when := s.now
		if b == 0 {
			when = 0
		}
		s.flush(mm, when)
	}
}

func (s *memorySim) put(mm *memoryModel, live modelLive, limit int) {
	var leaving []Leaving
	at := mm.find(live.id)
	added := live.size <= simBudget && (!live.large() || live.size <= simBudget/largeBudgetPart)
	switch {
	case !added:
		s.want[sessioncache.TooBig]++
		s.o.free(live.object)
	case at >= 0 && mm.kept[at].object == live.object:
		added = false
		if mm.kept[at].expires != live.expires {
			mm.remove(at)
			mm.add(live)
		}
	default:
		s.want[sessioncache.Stores]++
		if at >= 0 {
			leaving = append(leaving, Leaving{mm.remove(at).object, Replaced})
		}
		for {
			first := -1
			if live.large() && s.usedByLarge()+live.size > simBudget/largeBudgetPart {
				first = slices.IndexFunc(mm.kept, modelLive.large)
			}
			if first < 0 && len(mm.kept) > 0 && (limit > 0 && len(mm.kept) >= limit || s.used()+live.size > simBudget) {
				first = 0
			}
			if first < 0 {
				break
			}
			leaving = append(leaving, Leaving{mm.remove(first).object, Evicted})
			s.want[sessioncache.Evictions]++
		}
		mm.add(live)
	}
	size := int(live.size) - len(live.name) - entryOverhead
	gotAdded, gotLeaving := mm.m.Put(Session{testID(live.id), Asked{ServerName: live.name, Terms: [32]byte{1}}, live.expires, size, live.object}, limit)
	if gotAdded != added || !slices.Equal(gotLeaving, leaving) {
		s.t.Fatalf("Put: %v, leaving %v, not %v, %v", gotAdded, gotLeaving, added, leaving)
	}
	for _, l := range leaving {
		s.o.free(l.Object)
	}
}

func (s *memorySim) got(what string, mm *memoryModel, at int, hit bool, object Object, ok bool) {
	if ok != hit || ok && object != mm.kept[at].object {
		s.t.Fatalf("%s: object %d, %v, not %v", what, object, ok, hit)
	}
	if ok {
		s.want[sessioncache.Hits]++
	} else {
		s.want[sessioncache.Misses]++
	}
}

func (s *memorySim) flush(mm *memoryModel, now int64) {
	var want []Object
	for len(mm.kept) > 0 && (now == 0 || now > mm.kept[0].expires) {
		want = append(want, mm.remove(0).object)
	}
	if now == 0 {
		s.want[sessioncache.Removals] += uint64(len(want))
	} else {
		s.want[sessioncache.Expiries] += uint64(len(want))
	}
	got := mm.m.Flush(now)
	if !slices.Equal(got, want) {
		s.t.Fatalf("Flush: %v, not %v", got, want)
	}
	for _, object := range got {
		s.o.free(object)
	}
}

// used is what the budget should say.
func (s *memorySim) used() int64 { return s.sum(func(modelLive) bool { return true }) }

func (s *memorySim) usedByLarge() int64 { return s.sum(modelLive.large) }

func (s *memorySim) sum(counts func(modelLive) bool) (bytes int64) {
	for _, mm := range s.models {
		for _, kept := range mm.kept {
			if counts(kept) {
				bytes += kept.size
			}
		}
	}
	return bytes
}

func (s *memorySim) check() {
	sessions := 0
	for n, mm := range s.models {
		if mm.m.Len() != len(mm.kept) {
			s.t.Fatalf("Memory %d holds %d sessions, not %d", n, mm.m.Len(), len(mm.kept))
		}
		for _, kept := range mm.kept {
			if s.o.refs[kept.object] != 1 {
				s.t.Fatalf("object %d is kept with %d references", kept.object, s.o.refs[kept.object])
			}
		}
		sessions += len(mm.kept)
		checkMemory(s.t, mm.m)
	}
	st := s.budget.Stats()
	if st.Total != s.want || st.Entries != uint64(sessions) || st.Used != uint64(s.used()) ||
		s.budget.large.Load() != s.usedByLarge() {
		s.t.Fatalf("stats %+v, not %+v, %d sessions, %d bytes", st, s.want, sessions, s.used())
	}
}

// checkMemory fails where a Memory contradicts itself. Nobody may use it meanwhile.
func checkMemory(t testing.TB, m *Memory) {
	t.Helper()
	shards := m.shards.Load()
	if shards == nil {
		return
	}
	ids := 0
	for n := range shards {
		ids += len(shards[n].byID)
	}
	if ids != m.len() {
		t.Fatalf("%d ids, %d in the queues", ids, m.len())
	}
	for n, queue := range m.queues {
		for at, q := range queue {
			e := q.entry
			if e.large != (n == 1) || e.at != at+1 || q.due != e.due || shards[shardOf([]byte(e.id))].byID[e.id] != e {
				t.Fatalf("entry %d of queue %d: %+v", at, n, e)
			}
			if at > 0 && q.before(&queue[(at-1)/2].due) {
				t.Fatalf("entry %d of queue %d is before its parent", at, n)
			}
		}
	}
}

func TestMemorySimulation(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	steps := make([]byte, 20000*simStep)
	for n := range steps {
		steps[n] = byte(rng.Uint32())
	}
	did := runMemorySim(t, steps)
	t.Logf("%+v", did)
	for _, c := range []sessioncache.Counter{
		sessioncache.Hits, sessioncache.Misses, sessioncache.Stores, sessioncache.Evictions,
		sessioncache.Expiries, sessioncache.Removals, sessioncache.TooBig,
	} {
		if did[c] == 0 {
			t.Errorf("no %v", c)
		}
	}
}

func FuzzMemory(f *testing.F) {
	f.Add([]byte{})
	for what := range byte(8) {
		var steps []byte
		for n := range byte(simIDs) {
			steps = append(steps, 0, n, n*3, 100, 5<<4, n, n*3, 10, what<<1, n, n, n)
		}
		f.Add(steps)
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		runMemorySim(t, steps[:min(len(steps), 1000*simStep)])
	})
}
