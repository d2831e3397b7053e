package sessioncache

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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

// TestMemoryThreads does everything at once, and looks after the references.
func TestMemoryThreads(t *testing.T) {
	const (
		threads = 4
		steps   = 20000
		ids     = 60
		limit   = 40
	)
	for _, row := range []struct {
		name  string
		bytes int64
	}{
		{"by count", 1 << 30},
		{"by bytes", 20 * (entryOverhead + 100)},
	} {
		t.Run(row.name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			o := &sharedObjects{t: t, all: make([]sharedObject, threads*steps)}
			b := NewBudget(row.bytes)
			m := NewMemory(b, o.ref)
			var now, takes, replaced atomic.Int64
			now.Store(testNow)

			step := func(rng *rand.Rand) {
				n := rng.IntN(ids)
				id := testID(n)
				mine := func(what string, object Object, ok bool) {
					if !ok {
						return
					}
					if o.all[object].id.Load() != int64(n) {
						t.Errorf("%s of session %d: object %d is another's", what, n, object)
					}
					o.free(object)
				}
				switch what := rng.IntN(100); {
				case what < 35:
					object := o.add(n)
					live := Live{id, "", now.Load() + int64(rng.IntN(5)), rng.IntN(200), object}
					added, leaving := m.Put(live, limit)
					if !added {
						t.Errorf("object %d was not added", object)
					}
					for _, l := range leaving {
						if l.Reason == Replaced {
							replaced.Add(1)
						}
						o.free(l.Object)
					}
				case what < 80:
					object, ok := m.Get(id, "")
					mine("Get", object, ok)
				case what < 90:
					object, ok := m.Take(id, "")
					mine("Take", object, ok)
					if ok {
						takes.Add(1)
					}
				case what < 98:
					object, ok := m.Remove(id, func(kept Object) bool { return o.all[kept].id.Load() == int64(n) })
					mine("Remove", object, ok)
				default:
					for _, object := range m.Flush(now.Add(int64(rng.IntN(2)))) {
						o.free(object)
					}
				}
				if kept := m.Len(); kept < 0 || kept > limit+threads {
					t.Errorf("%d sessions are kept", kept)
				}
			}
			var running sync.WaitGroup
			for thread := range threads {
				running.Go(func() {
					rng := rand.New(rand.NewPCG(seed, uint64(thread)))
					for range steps {
						step(rng)
					}
				})
			}
			running.Wait()

			checkMemory(t, m)
			kept, st := m.Len(), b.Stats()
			if kept > limit || st.Entries != uint64(kept) || st.Used > uint64(row.bytes) {
				t.Errorf("%d sessions are kept, stats %+v", kept, st)
			}
			flushed := m.Flush(0)
			for _, object := range flushed {
				o.free(object)
			}
			for object := range o.made.Load() {
				if refs := o.all[object].refs.Load(); refs != 0 {
					t.Errorf("object %d has %d references", object, refs)
				}
			}
			st = b.Stats()
			left := st.Total.Evictions + st.Total.Expiries + st.Total.Removals + uint64(takes.Load()+replaced.Load())
			if len(flushed) != kept || st.Total.Stores != left || st.Entries != 0 || st.Used != 0 {
				t.Errorf("%d flushed, %d taken, %d replaced, stats %+v", len(flushed), takes.Load(), replaced.Load(), st)
			}
			t.Logf("%+v", st.Total)
		})
	}
}

// TestMemoryThreadsLimit puts from several threads: there are never more than the limit,
// and exactly so many in the end.
func TestMemoryThreadsLimit(t *testing.T) {
	const threads, puts, limit = 4, 3000, 100
	b := NewBudget(1 << 30)
	m := NewMemory(b, func(Object) {})
	var left atomic.Int64
	var running sync.WaitGroup
	for thread := range threads {
		running.Go(func() {
			for n := range puts {
				n += thread * puts
				_, leaving := m.Put(Live{testID(n), "", testNow, 0, Object(n)}, limit)
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
