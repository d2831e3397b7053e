package sessioncache

import (
	"bytes"
	"fmt"
	"sync"
	"syscall"
	"testing"
)

var (
	routeOwner = [32]byte{'o'}
	routeName  = "a.example"
)

func termsOf(n int) (terms [32]byte) {
	copy(terms[:], testID(n))
	return terms
}

func mustRoute(t *testing.T, c *Cache, name string, n int) {
	t.Helper()
	if terms, ok := c.Route(routeOwner, name); !ok || terms != termsOf(n) {
		t.Fatalf("the route of %q: %x, %v", name, terms[:4], ok)
	}
}

func mustNotRoute(t *testing.T, c *Cache, name string) {
	t.Helper()
	if terms, ok := c.Route(routeOwner, name); ok || terms != ([32]byte{}) {
		t.Fatalf("the route of %q: %x, %v", name, terms[:4], ok)
	}
}

func TestRoute(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	other := testCache(t, s, &now)
	mustNotRoute(t, c, routeName)
	c.Learn(routeOwner, routeName, termsOf(1))
	mustRoute(t, c, routeName, 1)
	mustRoute(t, other, "A.Example", 1) // what one process learns the others know
	mustNotRoute(t, c, "b.example")
	mustNotRoute(t, c, "")
	if _, ok := c.Route([32]byte{'p'}, routeName); ok {
		t.Error("another owner has the route")
	}
	c.Learn(routeOwner, "", termsOf(2))
	mustRoute(t, c, "", 2)
	mustRoute(t, c, routeName, 1)
	other.Learn(routeOwner, routeName, termsOf(3)) // a renewed certificate
	mustRoute(t, c, routeName, 3)

	// They are no sessions: nobody counts, flushes or clears them.
	if st := c.Stats(); st.Total != (Counters{}) || st.Entries != 0 || st.Used != 0 {
		t.Errorf("stats: %+v", st)
	}
	if n := c.Number(routeOwner); n != 0 {
		t.Errorf("%d sessions", n)
	}
	c.Flush(routeOwner, 0)
	c.Clear()
	mustRoute(t, c, routeName, 3)
}

// TestKnownRouteIsNotWritten is what a handshake costs whose route is known.
func TestKnownRouteIsNotWritten(t *testing.T) {
	mapping := newMapping(MinSize)
	s := openShm(t, mapping)
	now := int64(testNow)
	c := testCache(t, s, &now)
	c.Learn(routeOwner, routeName, termsOf(1))
	data := func() (all []byte) {
		for set := setsAt; set+s.setSize <= len(s.w); set += s.setSize {
			all = s.read(all, s.data(set), s.units*wordSize)
			if bytes.ContainsFunc(all, func(r rune) bool { return r != 0 }) {
				return all
			}
		}
		return nil
	}
	before := bytes.Clone(data())
	for range 3 {
		now += routeLife / 4
		c.Learn(routeOwner, "A.example", termsOf(1))
		mustRoute(t, c, routeName, 1)
	}
	if before == nil || !bytes.Equal(before, data()) {
		t.Error("it was written again")
	}
	now += routeLife / 2 // less than a day is left of two
	mustRoute(t, c, routeName, 1)
	if bytes.Equal(before, data()) {
		t.Error("it was not written again when it was about to end")
	}
}

// A route lives for a day at least, and goes on living while it is used, whoever uses it.
func TestRoutesLive(t *testing.T) {
	const step = routeLife
	for name, use := range map[string]func(c *Cache){
		"learnt":    func(c *Cache) { c.Learn(routeOwner, routeName, termsOf(1)) },
		"looked up": func(c *Cache) { c.Route(routeOwner, routeName) },
	} {
		t.Run(name, func(t *testing.T) {
			now := int64(testNow)
			c, _ := newCache(t, &now)
			c.Learn(routeOwner, routeName, termsOf(1))
			for range 10 {
				now += step
				mustRoute(t, c, routeName, 1)
				use(c)
			}
			now += 2*routeLife + 1
			mustNotRoute(t, c, routeName)
			if st := c.Stats(); st.Total != (Counters{}) {
				t.Errorf("counters: %+v", st.Total)
			}
		})
	}
}

// A route that has ended makes way for a session of its set, and is not counted then.
func TestEndedRouteMakesWay(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	c.Learn(routeOwner, routeName, termsOf(1))
	now += 2*routeLife + 1
	for _, n := range inEachSet(&s.shmMap, c, 0, 1) {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now)
	}
	if st := s.Stats(); st.Total != (Counters{Stores: uint64(s.sets)}) || st.Entries != uint64(s.sets) {
		t.Errorf("stats: %+v", st)
	}
	checkZero(t, s)
}

// A name that leads to two things has no route, whatever is learnt later.
func TestUnstableRoute(t *testing.T) {
	for name, seen := range map[string][]int{
		"two":   {1, 2, 1},
		"three": {1, 2, 3, 1},
		"later": {1, 2, 3, 4, 3},
		"many":  {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
	} {
		t.Run(name, func(t *testing.T) {
			now := int64(testNow)
			c, _ := newCache(t, &now)
			for n, terms := range seen {
				c.Learn(routeOwner, routeName, termsOf(terms))
				if n < len(seen)-1 {
					mustRoute(t, c, routeName, terms)
				}
			}
			mustNotRoute(t, c, routeName)
			for range 20 {
				now += routeLife / 2
				c.Learn(routeOwner, routeName, termsOf(seen[0]))
				mustNotRoute(t, c, routeName)
			}
			for n := range 12 {
				c.Learn(routeOwner, routeName, termsOf(100+n))
				mustNotRoute(t, c, routeName)
			}
		})
	}
}

// What changes now and then has a route all the time: certificates that are renewed each day.
func TestRouteThatChangesSeldom(t *testing.T) {
	now := int64(testNow)
	c, _ := newCache(t, &now)
	for n := range 50 {
		c.Learn(routeOwner, routeName, termsOf(n))
		mustRoute(t, c, routeName, n)
		now += routeLife
	}
}

// However many sessions are stored, a route that is used stays, and so does what is known of an unstable one.
func TestUsedRoutesStay(t *testing.T) {
	now := int64(testNow)
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, &now)
	c.Learn(routeOwner, routeName, termsOf(1))
	for _, n := range []int{1, 2, 1} {
		c.Learn(routeOwner, "unstable.example", termsOf(n))
	}
	for n := range 7000 {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now+100)
		if n%100 == 0 {
			mustRoute(t, c, routeName, 1)
			c.Learn(routeOwner, "unstable.example", termsOf(3))
			mustNotRoute(t, c, "unstable.example")
		}
	}
	// One that nobody uses makes way, and is not counted then.
	for n := range 500 {
		c.Learn(routeOwner, fmt.Sprintf("%d.example", n), termsOf(1))
	}
	before := s.Stats()
	for n := range 7000 {
		mustPut(t, c, originA, testID(-1-n), testDER(testID(-1-n), 0, ordinaryDER), now+100)
	}
	mustNotRoute(t, c, "7.example")
	st := s.Stats()
	if stored := 7000 - (st.Total.Evictions - before.Total.Evictions); st.Entries != before.Entries+stored {
		t.Errorf("%d entries, then %d, with %d evictions", before.Entries, st.Entries, st.Total.Evictions-before.Total.Evictions)
	}
	checkStore(t, s)
}

// TestLearnInTurns has another process write between the look and the write of a first one.
func TestLearnInTurns(t *testing.T) {
	for name, test := range map[string]struct {
		before   []int
		mine     int
		meantime []int
		want     int // 0 where nothing is to be known
	}{
		"both learn it first":         {nil, 1, []int{1}, 1},
		"two things":                  {nil, 1, []int{2}, 1},
		"both change it":              {[]int{1}, 2, []int{2}, 2},
		"the other one changes it":    {[]int{1}, 1, []int{2}, 2}, // nothing is written
		"it alternates meanwhile":     {[]int{1}, 2, []int{2, 1}, 0},
		"it is unstable meanwhile":    {[]int{1, 2}, 3, []int{1}, 0},
		"it goes back to what it was": {[]int{1}, 2, []int{3, 2, 3}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			now := int64(testNow)
			other, s := newCache(t, &now)
			for _, n := range test.before {
				other.Learn(routeOwner, routeName, termsOf(n))
			}
			mine := testCache(t, interrupted{s, func() {
				for _, n := range test.meantime {
					other.Learn(routeOwner, routeName, termsOf(n))
				}
				test.meantime = nil
			}}, &now)
			mine.Learn(routeOwner, routeName, termsOf(test.mine))
			if test.meantime != nil { // it had nothing to write
				for _, n := range test.meantime {
					other.Learn(routeOwner, routeName, termsOf(n))
				}
			}
			if test.want == 0 {
				mustNotRoute(t, mine, routeName)
			} else {
				mustRoute(t, mine, routeName, test.want)
			}
		})
	}
}

// interrupted lets something happen before a Swap.
type interrupted struct {
	*Shm
	meanwhile func()
}

func (s interrupted) Swap(key *LookupKey, e *Entry, expires, now uint32) error {
	s.meanwhile()
	return s.Shm.Swap(key, e, expires, now)
}

// TestRouteThatCannotBeWritten fails each write: what is known to be wrong is not believed any longer.
func TestRouteThatCannotBeWritten(t *testing.T) {
	for _, err := range []error{ErrBusy, ErrInterrupted, ErrChanged} {
		now := int64(testNow)
		c, s := newCache(t, &now)
		c.Learn(routeOwner, routeName, termsOf(1))
		failing := testCache(t, failingSwap{s, err}, &now)
		failing.Learn(routeOwner, routeName, termsOf(1))
		mustRoute(t, c, routeName, 1)
		failing.Learn(routeOwner, routeName, termsOf(2))
		mustNotRoute(t, c, routeName)
		failing.Learn(routeOwner, routeName, termsOf(2))
		mustNotRoute(t, c, routeName)
		c.Learn(routeOwner, routeName, termsOf(2))
		mustRoute(t, c, routeName, 2)
	}
}

type failingSwap struct {
	*Shm
	err error
}

func (s failingSwap) Swap(*LookupKey, *Entry, uint32, uint32) error { return s.err }

// A damaged route is none, and is learnt again.
func TestDamagedRoute(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	c.Learn(routeOwner, routeName, termsOf(1))
	w := c.begin()
	w.lookupRoute(&routeOwner, routeName)
	set := s.setOf(&w.key)
	if !s.Find(&w.key, &w.entry) {
		t.Fatal("no route")
	}
	s.add(s.data(set)+metaStart(w.entry.meta)+5, 1)
	c.end(w)
	mustNotRoute(t, c, routeName)
	c.Learn(routeOwner, routeName, termsOf(2))
	mustRoute(t, c, routeName, 2)
	if got := s.Stats().Total; got != (Counters{Errors: 1}) {
		t.Errorf("counters: %+v", got)
	}
}

// TestRoutesByThreads has threads learn that each name leads to two things, all at once: in the end
// nobody believes in either.
func TestRoutesByThreads(t *testing.T) {
	s := openShm(t, newMapping(MinSize))
	s.patience = 1 << 40
	var threads sync.WaitGroup
	for thread := range 4 {
		c := testCache(t, s, nil)
		threads.Go(func() {
			for n := range 100 * thorough {
				name := fmt.Sprintf("%d.example", n%10)
				if terms, ok := c.Route(routeOwner, name); ok && terms != termsOf(0) && terms != termsOf(1) {
					t.Errorf("%s leads to %x", name, terms[:4])
				}
				c.Learn(routeOwner, name, termsOf((n/10+thread)%2))
				syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
			}
		})
	}
	threads.Wait()
	c := testCache(t, s, nil)
	for n := range 10 {
		for _, terms := range []int{0, 1, 0} {
			c.Learn(routeOwner, fmt.Sprintf("%d.example", n), termsOf(terms))
		}
		mustNotRoute(t, c, fmt.Sprintf("%d.example", n))
	}
	checkStore(t, s)
}
