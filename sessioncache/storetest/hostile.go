package storetest

import (
	"context"
	"errors"
	"testing"

	"gosess/sessioncache"
)

// The tests of this file have a store do what a cache must not believe.

// testForged does what somebody can who may write to the store but has no key.
func testForged(t *testing.T, empty Empty) {
	now := int64(Now)
	one, two := ID(1), ID(2)
	for name, forge := range map[string]func(e, other *sessioncache.Entry){
		"prolonged":             func(e, _ *sessioncache.Entry) { e.Expires++ },
		"passed off as another": func(e, other *sessioncache.Entry) { e.Sealed = other.Sealed },
		"a byte changed":        func(e, _ *sessioncache.Entry) { e.Sealed[len(sessioncache.Tag{})]++ },
		"the last byte changed": func(e, _ *sessioncache.Entry) { e.Sealed[len(e.Sealed)-1]++ },
		"another owner's":       func(e, _ *sessioncache.Entry) { e.Sealed[0]++ },
		"another length":        func(e, _ *sessioncache.Entry) { e.Sealed = e.Sealed[:len(e.Sealed)-1] },
		"next to no length":     func(e, _ *sessioncache.Entry) { e.Sealed = e.Sealed[:len(sessioncache.Tag{})] },
	} {
		t.Run(name, func(t *testing.T) {
			c, s := newCache(t, empty, &now)
			var told []error
			c.OnError(func(err error) { told = append(told, err) })
			Put(t, c, OriginA, one, []byte("one"), now)
			Put(t, c, OriginA, two, []byte("two"), now)
			keyOf, _ := LookupKeys(t, s)
			keyOne, keyTwo := keyOf(one), keyOf(two)
			var e, other sessioncache.Entry
			if !find(t, s, &keyOne, &e) || !find(t, s, &keyTwo, &other) {
				t.Fatal("no entry")
			}
			forge(&e, &other)
			put(t, s, &keyOne, e.Sealed, e.Expires)
			Miss(t, c, OriginA, one)
			if st := stats(t, c); st.Total[sessioncache.Errors] != 1 || st.Entries != 1 {
				t.Errorf("stats: %+v", st)
			}
			if len(told) != 1 || told[0] != sessioncache.ErrSpoilt {
				t.Errorf("told %v", told)
			}
			Get(t, c, OriginA, two, []byte("two"))
			Put(t, c, OriginA, one, []byte("again"), now)
			Get(t, c, OriginA, one, []byte("again"))
		})
	}
}

// renamed is a store with another id: what one would be to which all entries of the first were moved.
type renamed struct{ sessioncache.Store }

func (renamed) ID() sessioncache.StoreID { return sessioncache.StoreID{'m', 'o', 'v', 'e', 'd'} }

// testAnotherStore moves an entry to another store with the same key: it is none there.
func testAnotherStore(t *testing.T, empty Empty) {
	now := int64(Now)
	c, s := newCache(t, empty, &now)
	Put(t, c, OriginA, ID(1), []byte("one"), now+10)
	c.Learn(ctx, OriginA.Owner, "a.example", termsOf(1))
	moved := Cache(t, renamed{s}, &now)
	Miss(t, moved, OriginA, ID(1))
	if _, ok := moved.Route(ctx, OriginA.Owner, "a.example"); ok {
		t.Error("the route is known in the other store")
	}
	// Even under the key that it would have there.
	here, _ := LookupKeys(t, s)
	there, _ := LookupKeys(t, renamed{s})
	keyHere, keyThere := here(ID(1)), there(ID(1))
	var e sessioncache.Entry
	if !find(t, s, &keyHere, &e) {
		t.Fatal("no entry")
	}
	if keyHere == keyThere {
		t.Error("it has the same key in both")
	}
	put(t, s, &keyThere, e.Sealed, e.Expires)
	Miss(t, moved, OriginA, ID(1))
	if got := stats(t, s).Total[sessioncache.Errors]; got != 1 {
		t.Errorf("%d errors", got)
	}
}

// ailing is a store that does not do what it is asked once its context is done.
type ailing struct{ sessioncache.Store }

func (a ailing) Find(ctx context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry) (bool, error) {
	if err := ctx.Err(); err != nil {
		return true, err // nobody looks at the rest of the answer
	}
	return a.Store.Find(ctx, key, e)
}

func (a ailing) Put(ctx context.Context, key *sessioncache.LookupKey, sealed []byte, expires, now uint32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return a.Store.Put(ctx, key, sealed, expires, now)
}

func (a ailing) Swap(ctx context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry, expires, now uint32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return a.Store.Swap(ctx, key, e, expires, now)
}

func (a ailing) Flush(ctx context.Context, _ *sessioncache.Tag, _ uint32) error { return ctx.Err() }

func (a ailing) Number(ctx context.Context, _ *sessioncache.Tag) (int, error) { return 0, ctx.Err() }

func (a ailing) Stats(ctx context.Context) (sessioncache.Stats, error) {
	return sessioncache.Stats{}, ctx.Err()
}

// dropless is a store whose Drop fails.
type dropless struct{ sessioncache.Store }

var errDropless = errors.New("no Drop")

func (dropless) Drop(context.Context, *sessioncache.Entry) (bool, error) { return true, errDropless }

// testFailing looks up in a store that does not say: each such lookup is a miss, counted as an error too, and
// told. What changes something says itself that it failed.
func testFailing(t *testing.T, empty Empty) {
	now := int64(Now)
	sound, s := newCache(t, empty, &now, Key(2), Key(1))
	c := Cache(t, ailing{s}, &now, Key(2), Key(1))
	var told []error
	c.OnError(func(err error) { told = append(told, err) })
	yes := func([]byte, sessioncache.Seal) bool { return true }
	Put(t, sound, OriginA, ID(1), []byte("one"), now+10)
	sound.Learn(ctx, OriginA.Owner, routeName, termsOf(1))
	Get(t, c, OriginA, ID(1), []byte("one"))

	over, cancel := context.WithCancel(ctx)
	cancel()
	for name, look := range map[string]func() bool{
		"Get":    func() bool { _, _, ok := c.Get(over, OriginA, ID(1), nil); return ok },
		"Spend":  func() bool { _, _, ok := c.Spend(over, OriginA, ID(1), nil); return ok },
		"Take":   func() bool { _, _, ok := c.Take(over, OriginA, ID(1), nil); return ok },
		"Remove": func() bool { return c.Remove(over, ID(1), yes) },
		"Has":    func() bool { return c.Has(over, OriginA.Owner, ID(1), yes) },
		"Route":  func() bool { _, ok := c.Route(over, OriginA.Owner, routeName); return ok },
		"Learn":  func() bool { c.Learn(over, OriginA.Owner, routeName, termsOf(2)); return false },
	} {
		told = nil
		before := stats(t, s).Total
		if look() {
			t.Errorf("%s found something", name)
		}
		after := stats(t, s).Total
		if len(told) == 0 || !errors.Is(told[0], context.Canceled) ||
			after[sessioncache.Errors] != before[sessioncache.Errors]+uint64(len(told)) {
			t.Errorf("%s: told %v, counters %v after %v", name, told, after, before)
		}
	}
	_, err := c.Put(over, OriginA, sessioncache.Session{ID: ID(1), DER: []byte("two"), Expires: now + 10})
	_, numberErr := c.Number(over, OriginA.Owner)
	_, statsErr := c.Stats(over)
	for name, err := range map[string]error{
		"Put": err, "Flush": c.Flush(over, OriginA.Owner, 0), "Clear": c.Clear(over), "Number": numberErr, "Stats": statsErr,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	Get(t, sound, OriginA, ID(1), []byte("one"))

	// Who cannot say that he alone has taken it has not.
	told = nil
	c = Cache(t, dropless{s}, &now, Key(2), Key(1))
	c.OnError(func(err error) { told = append(told, err) })
	if _, _, ok := c.Take(ctx, OriginA, ID(1), nil); ok || c.Remove(ctx, ID(1), yes) || len(told) == 0 || told[0] != errDropless {
		t.Errorf("taken or removed, told %v", told)
	}
	Get(t, sound, OriginA, ID(1), []byte("one"))
}
