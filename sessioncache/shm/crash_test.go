package shm

import (
	"sync"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/storetest"
)

// scene is a store whose first set is full, so that a Put has to do all that it may
// have to do.
type scene struct {
	t       *testing.T
	mapping []byte
	s       *Store
	c       *sessioncache.Cache
	now     int64
	ids     [][]byte // in one set
	keyOf   func(id []byte) sessioncache.LookupKey
}

var sceneSet = firstSet

// newScene stores sessions in one set until the first of them had to make way.
func newScene(t *testing.T) *scene {
	sc := &scene{t: t, mapping: newMapping(MinSize), now: testNow}
	sc.s = openShm(t, sc.mapping)
	sc.c = testCache(t, sc.s, &sc.now)
	sc.keyOf, _ = storetest.LookupKeys(t, sc.s)
	for n := 0; sc.s.stats().Total[sessioncache.Evictions] == 0; n++ {
		if id := testID(n); sc.inSet(id) {
			sc.ids = append(sc.ids, id)
			mustPut(t, sc.c, originA, id, testDER(id, 0, ordinaryDER), sc.now+100)
		}
	}
	return sc
}

func (sc *scene) inSet(id []byte) bool {
	key := sc.keyOf(id)
	return sc.s.spotOf(&key).set == sceneSet
}

// another opens the store once more, as another process would.
func (sc *scene) another(pid uint64) (*Store, *sessioncache.Cache) {
	s := openShm(sc.t, sc.mapping)
	s.pid = pid
	return s, testCache(sc.t, s, &sc.now)
}

// present counts the sessions that are there; none may be wrong.
func (sc *scene) present() (n int) {
	for _, id := range sc.ids {
		if der, _, ok := sc.c.Get(ctx, originA, id, nil); ok {
			checkDER(sc.t, id, der)
			n++
		}
	}
	return n
}

// TestDeathAtEveryStep kills a writer before each of its writes to the store.
func TestDeathAtEveryStep(t *testing.T) {
	type death struct{}
	dead := deadPID(t)
	sc := newScene(t)
	stride := 1
	if raceEnabled {
		stride = 7
	}
	for _, test := range []struct {
		name string
		size int
		most int // entries that may be lost: the one that is written, and what makes way
	}{
		{"one makes way", ordinaryDER, 2},
		{"several make way", 700, 6},
	} {
		for step, done := 1, false; !done; step += stride {
			victim, cache := sc.another(dead)
			id := sc.ids[0]
			if step%2 == 0 { // one that is not there
				id = testID(-1)
				for n := -2; !sc.inSet(id); n-- {
					id = testID(n)
				}
			}
			before := sc.present()
			left := step
			victim.beforeWrite = func() {
				if left--; left == 0 {
					panic(death{})
				}
			}
			func() {
				defer func() {
					if r := recover(); r != nil && r != (death{}) {
						panic(r)
					}
				}()
				if _, err := cache.Put(ctx, originA, sessioncache.Session{ID: id, DER: testDER(id, 1, test.size), Expires: sc.now + 100}); err != nil {
					t.Fatal(err)
				}
				done = left > 0
			}()
			if lost := before - sc.present(); lost > test.most {
				t.Fatalf("%s, step %d: %d entries were lost", test.name, step, lost)
			}
			if der, _, ok := sc.c.Get(ctx, originA, id, nil); ok {
				checkDER(t, id, der)
			}
			for i := range 3 { // the dead writer's lock holds nobody up
				id := sc.ids[(step+i)%len(sc.ids)]
				mustPut(t, sc.c, originA, id, testDER(id, uint32(step), ordinaryDER), sc.now+100)
				mustGet(t, sc.c, originA, id, testDER(id, uint32(step), ordinaryDER))
			}
			checkStore(t, sc.s)
		}
	}
	if n := sc.s.stats().Total[sessioncache.Errors]; n != 0 {
		t.Errorf("%d errors: a death must leave nothing damaged", n)
	}
}

// TestStolenLock stops a live writer before each of its writes, lets others take its
// lock and its space, and lets it go on: it notices, and begins again.
func TestStolenLock(t *testing.T) {
	sc := newScene(t)
	sc.s.patience = 0
	steps, again := 0, 0
	for done := false; !done; {
		steps++
		slow, cache := sc.another(sc.s.pid)
		stopped, proceed := make(chan struct{}), make(chan struct{})
		left := steps
		slow.beforeWrite = func() {
			if left--; left == 0 {
				close(stopped)
				<-proceed
			}
		}
		own, der := sc.ids[0], testDER(sc.ids[0], 1, 150+steps)
		locks := slow.ticket.Load()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := cache.Put(ctx, originA, sessioncache.Session{ID: own, DER: der, Expires: sc.now + 100}); err != nil {
				t.Errorf("step %d: %v", steps, err)
			}
			if done = left > 0; done {
				close(stopped)
			}
		})
		<-stopped
		for i := range 4 {
			id := sc.ids[1+(steps+i)%(len(sc.ids)-1)]
			mustPut(t, sc.c, originA, id, testDER(id, uint32(steps), 100+steps), sc.now+100)
		}
		close(proceed)
		wg.Wait()
		if slow.ticket.Load() > locks+1 {
			again++
			mustGet(t, sc.c, originA, own, der)
		}
		sc.present()
		id := sc.ids[1]
		mustPut(t, sc.c, originA, id, testDER(id, 0, ordinaryDER), sc.now+100)
		mustGet(t, sc.c, originA, id, testDER(id, 0, ordinaryDER))
		checkStore(t, sc.s) // one Put clears up what overlapped
	}
	// Not so before it has the lock, with the entry about to appear, and after that, when its lock, its claim and its counter are left.
	if again < steps-7 {
		t.Errorf("%d of %d writers noticed that they had lost the lock", again, steps)
	}
	if n := sc.present(); n < len(sc.ids)/2 {
		t.Errorf("%d of %d sessions are left", n, len(sc.ids))
	}
	if n := sc.s.stats().Total[sessioncache.Errors]; n != 0 {
		t.Errorf("%d errors", n)
	}
}

// TestDeadLock takes locks that nobody will give back.
func TestDeadLock(t *testing.T) {
	sc := newScene(t)
	id := sc.ids[1]
	for _, test := range []struct {
		word     uint64
		patience time.Duration
	}{
		{deadPID(t)<<32 | 1, time.Hour},
		{1, time.Hour},
		{1<<63 | 1, time.Hour},
		{sc.s.pid<<32 | 1, lockPatience}, // a live process that does not get on
	} {
		sc.s.patience = test.patience
		sc.s.store(sceneSet+setLock, test.word)
		mustGet(t, sc.c, originA, id, testDER(id, 0, ordinaryDER)) // readers do not care
		mustPut(t, sc.c, originA, id, testDER(id, 0, ordinaryDER), sc.now+100)
		checkStore(t, sc.s)
	}
}

// TestReaderMeetsWriter replaces an entry in the middle of a reader's copy.
func TestReaderMeetsWriter(t *testing.T) {
	sc := newScene(t)
	s, c := sc.another(sc.s.pid)
	id := sc.ids[len(sc.ids)-1]
	version := uint32(0)
	// The only write of a reader is to the access clock, when it has its copy: an
	// entry replaced then keeps its own expiry and stamp.
	s.beforeWrite = func() {
		if version == 0 {
			version++
			mustPut(t, sc.c, originA, id, testDER(id, version, ordinaryDER), sc.now+50)
		}
	}
	if der, _, ok := c.Get(ctx, originA, id, nil); !ok || checkDER(t, id, der) != 0 {
		t.Error("the reader's copy was whole")
	}
	if der, _, ok := c.Get(ctx, originA, id, nil); !ok || checkDER(t, id, der) != 1 {
		t.Error("the new entry was not found")
	}
	if n := sc.s.stats().Total[sessioncache.Errors]; n != 0 {
		t.Errorf("%d errors", n)
	}
}

// TestReadersSeeWholeEntries lets one writer replace and evict the entries of a set
// under the eyes of readers: nothing they find may be of two entries, even before
// it is authenticated.
func TestReadersSeeWholeEntries(t *testing.T) {
	const keys, rounds = 12, 2500 * thorough
	s := openShm(t, newMapping(MinSize))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for r := range 2 {
		readers.Go(func() {
			var e sessioncache.Entry
			for n := r; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				key := n % keys
				if !find(s, setKey(key), &e) {
					continue
				}
				for _, b := range e.Sealed {
					if b != e.Sealed[0] || int(b)%keys != key || e.Expires != uint32(b) {
						t.Errorf("key %d: found %d bytes, %d to %d, expires %d", key, len(e.Sealed), e.Sealed[0], b, e.Expires)
						return
					}
				}
			}
		})
	}
	// Many keys of many sizes in one set: some do not fit beside the others.
	sealed := make([]byte, 7000)
	for n := range rounds {
		b := byte(n % (255 / keys * keys))
		entry := sealed[:1000+n*7919%6000]
		if n%2 == 0 {
			entry = entry[:100+n%50]
		}
		for i := range entry {
			entry[i] = b
		}
		if err := s.Put(ctx, setKey(int(b)%keys), entry, uint32(b), 0); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
	checkStore(t, s)
}

// TestCrowdedLock lets others come and go all the time: a writer gives up then, because none of
// them is stopped.
func TestCrowdedLock(t *testing.T) {
	sc := newScene(t)
	s, c := sc.another(sc.s.pid)
	at := sceneSet + setLock
	others := sc.s.pid << 32
	s.pause = func() {
		others++
		sc.s.store(at, others)
		nap()
	}
	id := sc.ids[1]
	for range 3 {
		sc.s.store(at, others)
		if _, err := c.Put(ctx, originA, sessioncache.Session{ID: id, DER: testDER(id, 1, ordinaryDER), Expires: sc.now + 100}); err != sessioncache.ErrBusy {
			t.Errorf("Put: %v", err)
		}
		if s.load(at) != others {
			t.Error("it took the lock")
		}
	}
	if n := s.stats().Total[sessioncache.Errors]; n != 3 {
		t.Errorf("%d errors", n)
	}
	mustGet(t, sc.c, originA, id, testDER(id, 0, ordinaryDER))
	sc.s.store(at, 0)
	mustPut(t, sc.c, originA, id, testDER(id, 1, ordinaryDER), sc.now+100)
	checkStore(t, sc.s)
}
