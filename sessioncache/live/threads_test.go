package live

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gosess/sessioncache"
)

// sharedObjects are like objects, for threads.
type sharedObjects struct {
	t    *testing.T
	made atomic.Int64
	all  []sharedObject
}

type sharedObject struct {
	id   atomic.Int64
	refs atomic.Int64
}

func (o *sharedObjects) add(id int) Object {
	object := Object(o.made.Add(1) - 1)
	o.all[object].id.Store(int64(id))
	o.all[object].refs.Store(1)
	return object
}

func (o *sharedObjects) ref(object Object) {
	if object%8 == 0 {
		runtime.Gosched() // whoever wants to free it may try
	}
	if o.all[object].refs.Add(1) < 2 {
		o.t.Errorf("object %d is used after its last reference", object)
	}
}

func (o *sharedObjects) free(object Object) {
	if o.all[object].refs.Add(-1) < 0 {
		o.t.Errorf("object %d has lost a reference", object)
	}
}

// memoryThreads is a Memory that several threads use, and what they did.
type memoryThreads struct {
	t               *testing.T
	o               *sharedObjects
	m               *Memory
	now             atomic.Int64
	takes, replaced atomic.Int64
}

const (
	threadCount = 4
	threadSteps = 20000
	threadIDs   = 60
	threadLimit = 40
)

// step does something at random and frees what it got.
func (mt *memoryThreads) step(rng *rand.Rand) {
	n := rng.IntN(threadIDs)
	id := testID(n)
	switch what := rng.IntN(100); {
	case what < 35:
		mt.put(n, mt.now.Load()+int64(rng.IntN(5)), rng.IntN(200))
	case what < 80:
		object, ok := mt.m.Get(id, named(""))
		mt.got("Get", n, object, ok)
	case what < 90:
		object, ok := mt.m.Take(id, named(""))
		mt.got("Take", n, object, ok)
		if ok {
			mt.takes.Add(1)
		}
	case what < 98:
		object, ok := mt.m.Remove(id, func(kept Object) bool { return mt.o.all[kept].id.Load() == int64(n) })
		mt.got("Remove", n, object, ok)
	default:
		for _, object := range mt.m.Flush(mt.now.Add(int64(rng.IntN(2)))) {
			mt.o.free(object)
		}
	}
	if kept := mt.m.Len(); kept > threadLimit {
		mt.t.Errorf("%d sessions are kept", kept)
	}
}

func (mt *memoryThreads) put(n int, expires int64, size int) {
	object := mt.o.add(n)
	added, leaving := mt.m.Put(Session{testID(n), named(""), expires, size, object}, threadLimit)
	if !added {
		mt.t.Errorf("object %d was not added", object)
	}
	for _, l := range leaving {
		if l.Reason == Replaced {
			mt.replaced.Add(1)
		}
		mt.o.free(l.Object)
	}
}

func (mt *memoryThreads) got(what string, n int, object Object, ok bool) {
	if !ok {
		return
	}
	if mt.o.all[object].id.Load() != int64(n) {
		mt.t.Errorf("%s of session %d: object %d is another's", what, n, object)
	}
	mt.o.free(object)
}

// TestMemoryThreads does everything at once, and looks after the references.
func TestMemoryThreads(t *testing.T) {
	for name, bytes := range map[string]int64{
		"by count": 1 << 30,
		"by bytes": threadLimit / 2 * (entryOverhead + 100),
	} {
		t.Run(name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			o := &sharedObjects{t: t, all: make([]sharedObject, threadCount*threadSteps)}
			b := NewBudget(bytes)
			mt := &memoryThreads{t: t, o: o, m: NewMemory(b, o.ref)}
			mt.now.Store(testNow)
			var running sync.WaitGroup
			for thread := range threadCount {
				running.Go(func() {
					rng := rand.New(rand.NewPCG(seed, uint64(thread)))
					for range threadSteps {
						mt.step(rng)
					}
				})
			}
			running.Wait()

			checkMemory(t, mt.m)
			kept, st := mt.m.Len(), b.Stats()
			if st.Entries != uint64(kept) || st.Used > uint64(bytes) {
				t.Errorf("%d sessions are kept, stats %+v", kept, st)
			}
			flushed := mt.m.Flush(0)
			for _, object := range flushed {
				o.free(object)
			}
			for object := range o.made.Load() {
				if refs := o.all[object].refs.Load(); refs != 0 {
					t.Errorf("object %d has %d references", object, refs)
				}
			}
			st = b.Stats()
			left := st.Total[sessioncache.Evictions] + st.Total[sessioncache.Expiries] + st.Total[sessioncache.Removals] +
				uint64(mt.takes.Load()+mt.replaced.Load())
			if len(flushed) != kept || st.Total[sessioncache.Stores] != left || st.Entries != 0 || st.Used != 0 {
				t.Errorf("%d flushed of %d, %d have left, stats %+v", len(flushed), kept, left, st)
			}
			t.Logf("%+v", st.Total)
		})
	}
}

// TestMemoryThreadsLimit puts from several threads: there are never more than the limit,
// and exactly so many in the end.
func TestMemoryThreadsLimit(t *testing.T) {
	const threads, puts, limit = threadCount, 3000, 100
	b := NewBudget(1 << 30)
	m := NewMemory(b, func(Object) {})
	var left atomic.Int64
	var running sync.WaitGroup
	for thread := range threads {
		running.Go(func() {
			for n := range puts {
				n += thread * puts
				_, leaving := m.Put(Session{testID(n), named(""), testNow, 0, Object(n)}, limit)
				left.Add(int64(len(leaving)))
				if kept := m.Len(); kept > limit {
					t.Errorf("%d sessions are kept", kept)
				}
			}
		})
	}
	running.Wait()
	checkMemory(t, m)
	if m.Len() != limit || left.Load() != threads*puts-limit {
		t.Errorf("%d sessions are kept, %d have left", m.Len(), left.Load())
	}
	if flushed := m.Flush(0); len(flushed) != limit {
		t.Errorf("%d sessions were kept", len(flushed))
	}
}
