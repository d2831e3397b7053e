package shm

import (
	"fmt"
	"strings"
	"testing"

	"gosess/sessioncache"
)

var (
	routeOwner = [32]byte{'o'}
	routeName  = "a.example"
)

func termsOf(n int) [32]byte { return [32]byte(testID(n)) }

// wantRoute fails unless a name leads to the n-th terms, or to none where n is 0.
func wantRoute(t *testing.T, c *sessioncache.Cache, name string, n int) {
	t.Helper()
	if terms, ok := c.Route(ctx, routeOwner, name); ok != (n > 0) || ok && terms != termsOf(n) {
		t.Fatalf("the route of %q: %x, %v", name, terms[:4], ok)
	}
}

// A route that has ended makes way for a session of its set, and is not counted then.
func TestEndedRouteMakesWay(t *testing.T) {
	now := int64(testNow)
	c, s := newCache(t, &now)
	c.Learn(ctx, routeOwner, routeName, termsOf(1))
	now += 2*24*3600 + 1
	for _, n := range inEachSet(t, s, 0, 1) {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now)
	}
	if st := s.stats(); st.Total != (sessioncache.Counters{sessioncache.Stores: uint64(s.sets)}) || st.Entries != uint64(s.sets) {
		t.Errorf("stats: %+v", st)
	}
	checkZero(t, s)
}

// However many sessions are stored, a route that is used stays, and so does what is known of an unstable one.
func TestUsedRoutesStay(t *testing.T) {
	now := int64(testNow)
	s := openShm(t, newMapping(MinSize))
	c := testCache(t, s, &now)
	c.Learn(ctx, routeOwner, routeName, termsOf(1))
	for _, n := range []int{1, 2, 1} {
		c.Learn(ctx, routeOwner, "unstable.example", termsOf(n))
	}
	for n := range 7000 {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now+100)
		if n%100 == 0 {
			wantRoute(t, c, routeName, 1)
			c.Learn(ctx, routeOwner, "unstable.example", termsOf(3))
			wantRoute(t, c, "unstable.example", 0)
		}
	}
	// One that nobody uses makes way, and is not counted then.
	for n := range 500 {
		c.Learn(ctx, routeOwner, fmt.Sprintf("%d.example", n), termsOf(1))
	}
	before := s.stats()
	for n := range 14000 {
		mustPut(t, c, originA, testID(-1-n), testDER(testID(-1-n), 0, ordinaryDER), now+100)
	}
	wantRoute(t, c, "7.example", 0)
	st := s.stats()
	if stored := 14000 - (st.Total[sessioncache.Evictions] - before.Total[sessioncache.Evictions]); st.Entries != before.Entries+stored {
		t.Errorf("%d entries, then %d, with %d evictions", before.Entries, st.Entries, st.Total[sessioncache.Evictions]-before.Total[sessioncache.Evictions])
	}
	checkStore(t, s)
}

// holds reports whether what a watch is of is what it was.
func holds(w sessioncache.Watch) bool { return *w.Word == w.Value && *w.Clock-w.Since <= w.Span }

// Whoever watches a route sees when another process has learned that the name leads elsewhere, that what is known of it
// has made way, and that it is to be asked for so that it does not.
func TestWatchedRoute(t *testing.T) {
	now := int64(testNow)
	mapping := newMapping(MinSize)
	s := openShm(t, mapping)
	c, other := testCache(t, s, &now), testCache(t, openShm(t, mapping), &now)
	watched := func() sessioncache.Watch {
		t.Helper()
		_, watch, ok := c.WatchRoute(ctx, routeOwner, routeName)
		if !ok || !holds(watch) {
			t.Fatalf("%+v, %v", watch, ok)
		}
		return watch
	}
	if _, watch, ok := c.WatchRoute(ctx, routeOwner, routeName); ok || watch.Word != nil {
		t.Fatalf("%+v of what is not known", watch)
	}
	other.Learn(ctx, routeOwner, routeName, termsOf(1))
	watch := watched()
	if watch.Until != now+24*3600 {
		t.Errorf("it holds for %d s", watch.Until-now)
	}
	other.Learn(ctx, routeOwner, routeName, termsOf(1))
	wantRoute(t, other, routeName, 1)
	if !holds(watch) {
		t.Error("a look at it changes it")
	}
	other.Learn(ctx, routeOwner, routeName, termsOf(2))
	if holds(watch) {
		t.Error("it leads elsewhere")
	}
	watch = watched()
	other.Learn(ctx, routeOwner, routeName, termsOf(1)) // now to two things
	if holds(watch) {
		t.Error("it leads to two things")
	}

	c.Learn(ctx, routeOwner, "b.example", termsOf(1))
	for n := range 7000 {
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now+100)
		if n == 0 || !holds(watch) {
			var ok bool
			if _, watch, ok = c.WatchRoute(ctx, routeOwner, "b.example"); !ok {
				t.Fatalf("it has made way after %d sessions", n)
			}
		}
	}
	word, value := watch.Word, watch.Value
	for n := range 14000 {
		mustPut(t, c, originA, testID(-1-n), testDER(testID(-1-n), 0, ordinaryDER), now+100)
	}
	if *word == value {
		t.Error("it has made way, and nobody sees that")
	}
	// One that is written again, because it ends in a day, is another one.
	c.Learn(ctx, routeOwner, "b.example", termsOf(1))
	now += 25 * 3600
	if _, watch, ok := c.WatchRoute(ctx, routeOwner, "b.example"); !ok || watch.Until >= now {
		t.Errorf("%+v, %v: it is to be asked for", watch, ok)
	}
}

// A route that a process remembers is no other name's, owner's or time's, and what another process learns counts at once.
func TestRememberedRoute(t *testing.T) {
	now := int64(testNow)
	mapping := newMapping(MinSize)
	s := openShm(t, mapping)
	c, other := testCache(t, s, &now), testCache(t, openShm(t, mapping), &now)
	// More names than there are places in scratch memory make way for one another.
	for n := range 20 {
		other.Learn(ctx, routeOwner, fmt.Sprintf("%d.test", n), termsOf(n+1))
	}
	for n := range 40 {
		wantRoute(t, c, fmt.Sprintf("%d.test", n%20), n%20+1)
	}
	for n := range 20 {
		name := fmt.Sprintf("%d.example", n)
		other.Learn(ctx, routeOwner, name, termsOf(1))
		wantRoute(t, c, name, 1)
		wantRoute(t, c, name, 1)
		wantRoute(t, c, fmt.Sprintf("%d.example.net", n), 0)
		if _, ok := c.Route(ctx, [32]byte{'p'}, name); ok {
			t.Error("the route of another owner")
		}
		other.Learn(ctx, routeOwner, name, termsOf(2))
		wantRoute(t, c, name, 2)
		wantRoute(t, c, strings.ToUpper(name), 2)
		other.Learn(ctx, routeOwner, name, termsOf(1)) // now to two things
		wantRoute(t, c, name, 0)
	}
	other.Learn(ctx, routeOwner, routeName, termsOf(1))
	wantRoute(t, c, routeName, 1)
	now += 49 * 3600
	wantRoute(t, c, routeName, 0)

	// Who only remembers a route keeps it, as who looks it up.
	other.Learn(ctx, routeOwner, routeName, termsOf(1))
	for n := range 14000 {
		wantRoute(t, c, routeName, 1)
		mustPut(t, c, originA, testID(n), testDER(testID(n), 0, ordinaryDER), now+100)
	}
}
