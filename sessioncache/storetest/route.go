package storetest

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"gosess/sessioncache"
)

// day is in seconds. A route is written again when it is used with less than one left of two.
const day = 24 * 3600

var (
	routeOwner = [32]byte{'o'}
	routeName  = "a.example"
)

func termsOf(n int) (terms [32]byte) {
	copy(terms[:], ID(n))
	return terms
}

func mustRoute(t *testing.T, c *sessioncache.Cache, name string, n int) {
	t.Helper()
	if terms, ok := c.Route(ctx, routeOwner, name); !ok || terms != termsOf(n) {
		t.Fatalf("the route of %q: %x, %v", name, terms[:4], ok)
	}
}

func mustNotRoute(t *testing.T, c *sessioncache.Cache, name string) {
	t.Helper()
	if terms, ok := c.Route(ctx, routeOwner, name); ok || terms != ([32]byte{}) {
		t.Fatalf("the route of %q: %x, %v", name, terms[:4], ok)
	}
}

func testRoute(t *testing.T, empty Empty) {
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	other := Cache(t, s, &now)
	mustNotRoute(t, c, routeName)
	c.Learn(ctx, routeOwner, routeName, termsOf(1))
	mustRoute(t, c, routeName, 1)
	mustRoute(t, other, "A.Example", 1) // what one process learns the others know
	mustNotRoute(t, c, "b.example")
	mustNotRoute(t, c, "")
	if _, ok := c.Route(ctx, [32]byte{'p'}, routeName); ok {
		t.Error("another owner has the route")
	}
	c.Learn(ctx, routeOwner, "", termsOf(2))
	mustRoute(t, c, "", 2)
	mustRoute(t, c, routeName, 1)
	other.Learn(ctx, routeOwner, routeName, termsOf(3)) // a renewed certificate
	mustRoute(t, c, routeName, 3)

	// They are no sessions: nobody counts, flushes or clears them.
	if st := stats(t, c); st.Total != (sessioncache.Counters{}) || st.Entries != 0 || st.Used != 0 {
		t.Errorf("stats: %+v", st)
	}
	if n, err := c.Number(ctx, routeOwner); n != 0 || err != nil {
		t.Errorf("%d sessions, %v", n, err)
	}
	if err := c.Flush(ctx, routeOwner, 0); err != nil {
		t.Errorf("Flush: %v", err)
	}
	if err := c.Clear(ctx); err != nil {
		t.Errorf("Clear: %v", err)
	}
	mustRoute(t, c, routeName, 3)
}

// testKnownRouteIsNotWritten is what a handshake costs whose route is known.
func testKnownRouteIsNotWritten(t *testing.T, empty Empty) {
	writes := 0
	now := int64(Now)
	c := Cache(t, interrupted{empty(t)(t), func() { writes++ }}, &now)
	c.Learn(ctx, routeOwner, routeName, termsOf(1))
	for range 3 {
		now += day / 4
		c.Learn(ctx, routeOwner, "A.example", termsOf(1))
		mustRoute(t, c, routeName, 1)
	}
	if writes != 1 {
		t.Errorf("it was written %d times", writes)
	}
	now += day / 2 // less than a day is left of two
	mustRoute(t, c, routeName, 1)
	if writes != 2 {
		t.Error("it was not written again when it was about to end")
	}
}

// A route lives for a day at least, and goes on living while it is used, whoever uses it.
func testRoutesLive(t *testing.T, empty Empty) {
	for name, use := range map[string]func(c *sessioncache.Cache){
		"learnt":    func(c *sessioncache.Cache) { c.Learn(ctx, routeOwner, routeName, termsOf(1)) },
		"looked up": func(c *sessioncache.Cache) { c.Route(ctx, routeOwner, routeName) },
	} {
		t.Run(name, func(t *testing.T) {
			now := int64(Now)
			c, _ := newCache(t, empty, &now)
			c.Learn(ctx, routeOwner, routeName, termsOf(1))
			for range 10 {
				now += day
				mustRoute(t, c, routeName, 1)
				use(c)
			}
			now += 2*day + 1
			mustNotRoute(t, c, routeName)
			if st := stats(t, c); st.Total != (sessioncache.Counters{}) {
				t.Errorf("counters: %+v", st.Total)
			}
		})
	}
}

// A name that leads to two things has no route, whatever is learnt later.
func testUnstableRoute(t *testing.T, empty Empty) {
	for name, seen := range map[string][]int{
		"two":   {1, 2, 1},
		"three": {1, 2, 3, 1},
		"later": {1, 2, 3, 4, 3},
		"many":  {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
	} {
		t.Run(name, func(t *testing.T) {
			now := int64(Now)
			c, _ := newCache(t, empty, &now)
			for n, terms := range seen {
				c.Learn(ctx, routeOwner, routeName, termsOf(terms))
				if n < len(seen)-1 {
					mustRoute(t, c, routeName, terms)
				}
			}
			mustNotRoute(t, c, routeName)
			for range 20 {
				now += day / 2
				c.Learn(ctx, routeOwner, routeName, termsOf(seen[0]))
				mustNotRoute(t, c, routeName)
			}
			for n := range 12 {
				c.Learn(ctx, routeOwner, routeName, termsOf(100+n))
				mustNotRoute(t, c, routeName)
			}
		})
	}
}

// What changes now and then has a route all the time: certificates that are renewed each day.
func testRouteThatChangesSeldom(t *testing.T, empty Empty) {
	now := int64(Now)
	c, _ := newCache(t, empty, &now)
	for n := range 50 {
		c.Learn(ctx, routeOwner, routeName, termsOf(n))
		mustRoute(t, c, routeName, n)
		now += day
	}
}

// testLearnInTurns has another process write between the look and the write of a first one.
func testLearnInTurns(t *testing.T, empty Empty) {
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
			now := int64(Now)
			other, s := newCache(t, empty, &now)
			for _, n := range test.before {
				other.Learn(ctx, routeOwner, routeName, termsOf(n))
			}
			mine := Cache(t, interrupted{s, func() {
				for _, n := range test.meantime {
					other.Learn(ctx, routeOwner, routeName, termsOf(n))
				}
				test.meantime = nil
			}}, &now)
			mine.Learn(ctx, routeOwner, routeName, termsOf(test.mine))
			if test.meantime != nil { // it had nothing to write
				for _, n := range test.meantime {
					other.Learn(ctx, routeOwner, routeName, termsOf(n))
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
	sessioncache.Store
	meanwhile func()
}

func (s interrupted) Swap(ctx context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry, expires, now uint32) error {
	s.meanwhile()
	return s.Store.Swap(ctx, key, e, expires, now)
}

// testRouteThatCannotBeWritten fails each write: what is known to be wrong is not believed any longer.
func testRouteThatCannotBeWritten(t *testing.T, empty Empty) {
	for _, err := range []error{sessioncache.ErrBusy, sessioncache.ErrInterrupted, sessioncache.ErrChanged} {
		now := int64(Now)
		c, s := newCache(t, empty, &now)
		c.Learn(ctx, routeOwner, routeName, termsOf(1))
		failing := Cache(t, failingSwap{s, err}, &now)
		failing.Learn(ctx, routeOwner, routeName, termsOf(1))
		mustRoute(t, c, routeName, 1)
		failing.Learn(ctx, routeOwner, routeName, termsOf(2))
		mustNotRoute(t, c, routeName)
		failing.Learn(ctx, routeOwner, routeName, termsOf(2))
		mustNotRoute(t, c, routeName)
		c.Learn(ctx, routeOwner, routeName, termsOf(2))
		mustRoute(t, c, routeName, 2)
	}
}

type failingSwap struct {
	sessioncache.Store
	err error
}

func (s failingSwap) Swap(context.Context, *sessioncache.LookupKey, *sessioncache.Entry, uint32, uint32) error {
	return s.err
}

// A damaged route is none, and is learnt again.
func testDamagedRoute(t *testing.T, empty Empty) {
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	c.Learn(ctx, routeOwner, routeName, termsOf(1))
	_, keyOf := LookupKeys(t, s)
	k := keyOf(routeOwner, routeName)
	var e sessioncache.Entry
	if !find(t, s, &k, &e) {
		t.Fatal("no route")
	}
	e.Sealed[len(e.Sealed)/2]++
	put(t, s, &k, e.Sealed, e.Expires)
	mustNotRoute(t, c, routeName)
	c.Learn(ctx, routeOwner, routeName, termsOf(2))
	mustRoute(t, c, routeName, 2)
	if got := stats(t, s).Total; got != (sessioncache.Counters{sessioncache.Errors: 1}) {
		t.Errorf("counters: %+v", got)
	}
}

// testRoutesByThreads has threads learn that each name leads to two things, all at once: in the end
// nobody believes in either.
func testRoutesByThreads(t *testing.T, empty Empty) {
	open := empty(t)
	var threads sync.WaitGroup
	for thread := range 4 {
		c := Cache(t, open(t), nil)
		threads.Go(func() {
			for n := range 100 * Thorough {
				name := fmt.Sprintf("%d.example", n%10)
				if terms, ok := c.Route(ctx, routeOwner, name); ok && terms != termsOf(0) && terms != termsOf(1) {
					t.Errorf("%s leads to %x", name, terms[:4])
				}
				c.Learn(ctx, routeOwner, name, termsOf((n/10+thread)%2))
				runtime.Gosched()
			}
		})
	}
	threads.Wait()
	c := Cache(t, open(t), nil)
	for n := range 10 {
		for _, terms := range []int{0, 1, 0} {
			c.Learn(ctx, routeOwner, fmt.Sprintf("%d.example", n), termsOf(terms))
		}
		mustNotRoute(t, c, fmt.Sprintf("%d.example", n))
	}
}
