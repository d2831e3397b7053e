package shm

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"gosess/sessioncache"
)

const recordName = "the one"

// recordValue is the n-th value.
func recordValue(n int) []byte { return testID(n)[:sessioncache.MaxRecord] }

// recordOf returns the value of a record, nil where there is none.
func recordOf(t testing.TB, c *sessioncache.Cache, name string) []byte {
	t.Helper()
	values, err := c.Record(ctx, name)
	if err != nil || len(values) > 1 {
		t.Fatalf("record %q: %d values, %v", name, len(values), err)
	}
	if len(values) == 0 {
		return nil
	}
	return values[0].Value
}

// checkRecords wants all of a store's room for records back once all of them have expired, and nothing left there.
func checkRecords(t testing.TB, s *Store) {
	t.Helper()
	for range 2 { // what was about to be published is left once something else is
		if err := s.AddRecord(ctx, setKey(1000), []byte("x"), 1<<32-2, 1<<32-2); err != nil {
			t.Fatal(err)
		}
		if err := s.ExpireRecords(ctx, 1<<32-1); err != nil {
			t.Fatal(err)
		}
	}
	for at := recordSlot(0); at < recordsEnd(len(s.mapping)); at++ {
		if word := s.load(at); word != 0 {
			t.Fatalf("word %d of slot %d is %#x", (at-recordSlot(0))%recordSize, slotOfRecord(at), word)
		}
	}
}

// recordScene is an empty store, and the caches of two processes over it.
type recordScene struct {
	slow, fast *Store
	slowCache  *sessioncache.Cache
	fastCache  *sessioncache.Cache
	now        int64
}

func newRecordScene(t *testing.T, slowPID uint64) *recordScene {
	sc := &recordScene{now: testNow}
	mapping := newMapping(MinSize)
	sc.slow, sc.fast = openShm(t, mapping), openShm(t, mapping)
	sc.slow.records.pid = slowPID
	sc.slowCache, sc.fastCache = testCache(t, sc.slow, &sc.now), testCache(t, sc.fast, &sc.now)
	return sc
}

// before has something done once, before the n-th write of the slow process. It reports later whether there were so many.
func (sc *recordScene) before(n int, do func()) (done func() bool) {
	left := n
	sc.slow.beforeWrite = func() {
		if left--; left == 0 {
			do()
		}
	}
	return func() bool { return left <= 0 }
}

// TestRecordDeath kills a process before each of its writes, while it adds a record over one that has
// expired: there is the old state or the new one, and no room is lost.
func TestRecordDeath(t *testing.T) {
	type death struct{}
	dead := deadPID(t)
	published := 0
	for step, more := 1, true; more; step++ {
		sc := newRecordScene(t, dead)
		for n := range sc.fast.records.count {
			if err := sc.fastCache.AddRecord(ctx, fmt.Sprint("old ", n), recordValue(n), sc.now+10); err != nil {
				t.Fatal(err)
			}
		}
		sc.now += 11
		reached := sc.before(step, func() { panic(death{}) })
		func() {
			defer func() {
				if r := recover(); r != nil && r != (death{}) {
					panic(r)
				}
			}()
			if err := sc.slowCache.AddRecord(ctx, recordName, recordValue(1), sc.now+10); err != nil {
				t.Fatal(err)
			}
		}()
		more = reached()
		got := recordOf(t, sc.fastCache, recordName)
		if got == nil {
			if err := sc.fastCache.AddRecord(ctx, recordName, recordValue(2), sc.now+10); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			got = recordValue(2)
		} else {
			published++
			if !bytes.Equal(got, recordValue(1)) {
				t.Fatalf("step %d: another value", step)
			}
			if err := sc.fastCache.AddRecord(ctx, recordName, recordValue(2), sc.now+10); err != sessioncache.ErrExists {
				t.Fatalf("step %d: %v", step, err)
			}
		}
		if now := recordOf(t, sc.fastCache, recordName); !bytes.Equal(now, got) {
			t.Fatalf("step %d: the value has changed", step)
		}
		checkRecords(t, sc.fast)
	}
	if published < 2 {
		t.Errorf("it was published in %d cases", published)
	}
}

// TestRecordStopped stops a process before each of its writes, has another one work, and lets it go on:
// what was there once stays what it was, and one of them has added it.
func TestRecordStopped(t *testing.T) {
	for name, work := range map[string]func(t *testing.T, sc *recordScene){
		"adds the same": func(*testing.T, *recordScene) {},
		"adds others": func(t *testing.T, sc *recordScene) {
			for n := range 5 {
				if err := sc.fastCache.AddRecord(ctx, fmt.Sprint(n), recordValue(n), sc.now+10); err != nil {
					t.Error(err)
				}
			}
		},
		"fills it": func(t *testing.T, sc *recordScene) {
			for n := range sc.fast.records.count {
				err := sc.fastCache.AddRecord(ctx, fmt.Sprint(n), recordValue(n), sc.now+1)
				if err != nil && err != sessioncache.ErrFull {
					t.Error(err)
				}
			}
			sc.now += 2
		},
		"clears up": func(t *testing.T, sc *recordScene) {
			if err := sc.fastCache.ExpireRecords(ctx); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for step, more := 1, true; more; step++ {
				sc := newRecordScene(t, uint64(os.Getpid()))
				var fastErr error
				var seen []byte
				interfere := func() {
					work(t, sc)
					fastErr = sc.fastCache.AddRecord(ctx, recordName, recordValue(2), sc.now+10)
					seen = recordOf(t, sc.fastCache, recordName)
				}
				reached := sc.before(step, interfere)
				slowErr := sc.slowCache.AddRecord(ctx, recordName, recordValue(1), sc.now+10)
				if more = reached(); !more {
					interfere()
				}
				if slowErr == sessioncache.ErrFull && name == "fills it" { // it looks with the time that it had
					slowErr = sessioncache.ErrExists
				}
				if (slowErr == nil) == (fastErr == nil) || slowErr != nil && slowErr != sessioncache.ErrExists || fastErr != nil && fastErr != sessioncache.ErrExists {
					t.Fatalf("step %d: the slow one says %v, the fast one %v", step, slowErr, fastErr)
				}
				want := recordValue(1)
				if fastErr == nil {
					want = recordValue(2)
				}
				for _, c := range []*sessioncache.Cache{sc.slowCache, sc.fastCache} {
					if got := recordOf(t, c, recordName); !bytes.Equal(got, want) || !bytes.Equal(seen, want) {
						t.Fatalf("step %d: the value is not of who has added it", step)
					}
				}
				checkRecords(t, sc.fast)
			}
		})
	}
}

// TestRecordTwoSlow has two processes in the middle of it, one before each of its writes and the other before each of its own.
func TestRecordTwoSlow(t *testing.T) {
	for first, more := 1, true; more; first++ {
		for second, again := 1, true; again; second++ {
			sc := newRecordScene(t, uint64(os.Getpid()))
			third := openShm(t, sc.fast.mapping)
			thirdCache := testCache(t, third, &sc.now)
			var errs [3]error
			left := second
			third.beforeWrite = func() {
				if left--; left == 0 {
					errs[2] = sc.fastCache.AddRecord(ctx, recordName, recordValue(2), sc.now+10)
				}
			}
			reached := sc.before(first, func() {
				errs[1] = thirdCache.AddRecord(ctx, recordName, recordValue(1), sc.now+10)
				again = left <= 0
			})
			errs[0] = sc.slowCache.AddRecord(ctx, recordName, recordValue(0), sc.now+10)
			if more = reached(); !more || !again {
				again = false
				continue
			}
			added := 0
			for n, err := range errs {
				if err == nil {
					added++
					if got := recordOf(t, sc.fastCache, recordName); !bytes.Equal(got, recordValue(n)) {
						t.Fatalf("steps %d and %d: not the value of the one who has added it", first, second)
					}
				} else if err != sessioncache.ErrExists {
					t.Fatalf("steps %d and %d: %v", first, second, err)
				}
			}
			if added != 1 {
				t.Fatalf("steps %d and %d: %v", first, second, errs)
			}
			checkRecords(t, sc.fast)
		}
	}
}

// TestOldClaims leaves claims of a live process behind: they make way where there is nothing else, and not before.
func TestOldClaims(t *testing.T) {
	sc := newRecordScene(t, uint64(os.Getpid()))
	r := &sc.fast.records
	claim := claimWord(r.pid, uint32(sc.now))
	for slot := range r.count {
		sc.fast.store(recordSlot(slot), claim)
	}
	add := func() error { return sc.fastCache.AddRecord(ctx, recordName, recordValue(1), sc.now+10) }
	if err := add(); err != sessioncache.ErrFull {
		t.Errorf("%v", err)
	}
	sc.now += recordClaimLife + 1
	if err := sc.fastCache.ExpireRecords(ctx); err != nil || sc.fast.load(recordSlot(0)) != claim {
		t.Errorf("%v, or a claim of a live process has gone without need", err)
	}
	if err := add(); err != nil {
		t.Errorf("%v", err)
	}
	if got := recordOf(t, sc.fastCache, recordName); !bytes.Equal(got, recordValue(1)) {
		t.Error("it is not there")
	}
}

// TestSpoiltRecords has anything stand where the records are: nobody believes any of it, and what cannot be used makes way.
func TestSpoiltRecords(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	opened, added := 0, 0
	for range 300 * thorough {
		sc := newRecordScene(t, uint64(os.Getpid()))
		for n := range 3 {
			if err := sc.slowCache.AddRecord(ctx, fmt.Sprint(n), recordValue(n), sc.now+10); err != nil {
				t.Fatal(err)
			}
		}
		spoil := func(at int) {
			switch rng.IntN(3) {
			case 0:
				sc.fast.store(at, rng.Uint64())
			case 1:
				sc.fast.store(at, sc.fast.load(at)^1<<rng.IntN(64))
			case 2:
				sc.fast.store(at, sc.fast.load(recordSlot(rng.IntN(3))+rng.IntN(recordSize)))
			}
		}
		for range 1 + rng.IntN(6) {
			spoil([]int{recordsAt, recordSlot(rng.IntN(4)) + rng.IntN(recordSize)}[rng.IntN(2)])
		}
		for n := range 4 {
			values, err := sc.fastCache.Record(ctx, fmt.Sprint(n))
			if err != nil || len(values) > 1 {
				t.Fatalf("%d values, %v", len(values), err)
			}
			if len(values) == 1 {
				opened++
				if !bytes.Equal(values[0].Value, recordValue(n)) {
					t.Fatal("a wrong value")
				}
			} else if err := sc.fastCache.AddRecord(ctx, fmt.Sprint(n), recordValue(n), sc.now+10); err == nil {
				added++
			} else if !errors.Is(err, sessioncache.ErrBusy) {
				t.Fatal(err)
			}
		}
		if err := sc.fastCache.ExpireRecords(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if opened == 0 || added == 0 {
		t.Errorf("nothing was tried: %d opened, %d added", opened, added)
	}
}

// TestReadersSeeWholeRecords has one process drop a record and add another one under its key, under the eyes of
// readers: nothing that they find is of two, even before it is authenticated.
func TestReadersSeeWholeRecords(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			var e sessioncache.Entry
			for {
				select {
				case <-done:
					return
				default:
				}
				if found, _ := s.FindRecord(ctx, setKey(1), &e, 0); found && !bytes.Equal(e.Sealed, bytes.Repeat(e.Sealed[:1], int(e.Expires))) {
					t.Errorf("found %x, which ends at %d", e.Sealed, e.Expires)
					return
				}
			}
		})
	}
	for n := range 5000 * thorough {
		size := 1 + n*31%sessioncache.MaxSealedRecord
		if err := s.AddRecord(ctx, setKey(1), bytes.Repeat([]byte{byte(n)}, size), uint32(size), 0); err != nil {
			t.Fatal(err)
		}
		var e sessioncache.Entry
		if found, err := s.FindRecord(ctx, setKey(1), &e, 0); !found || err != nil {
			t.Fatal(found, err)
		}
		if err := s.DropRecord(ctx, &e, 0); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
	checkRecords(t, s)
}

// Who only reads a store finds what is published, also where its writer died before the slot says so, and nothing that is over; and
// writes nothing.
func TestReaderFindsRecords(t *testing.T) {
	mapping := newMapping(MinSize)
	s := openShm(t, mapping)
	for n, expires := range []uint32{100, 100, 50} {
		if err := s.AddRecord(ctx, setKey(n+1), []byte{byte(n + 1)}, expires, 0); err != nil {
			t.Fatal(err)
		}
	}
	root := s.words.load(recordsAt)
	last := recordSlot(int(root>>recordSlotBits) - 1)
	s.words.store(last, recordPrepared|s.words.load(last)&^recordKind)
	before := bytes.Clone(mapping)
	reader, err := OpenReadOnly(mapping)
	if err != nil {
		t.Fatal(err)
	}
	for _, look := range []struct {
		key   int
		now   uint32
		found bool
	}{{1, 60, true}, {2, 60, true}, {3, 40, true}, {3, 60, false}, {1, 101, false}, {4, 0, false}} {
		var e sessioncache.Entry
		if found := reader.FindRecord(setKey(look.key), &e, look.now); found != look.found || found && !bytes.Equal(e.Sealed, []byte{byte(look.key)}) {
			t.Errorf("%+v: %v, %x", look, found, e.Sealed)
		}
	}
	if !bytes.Equal(mapping, before) || reader.RecordRoom() != s.RecordRoom() || reader.ID() != s.ID() {
		t.Error("the store is another one")
	}
}
