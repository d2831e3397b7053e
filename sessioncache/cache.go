package sessioncache

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	// MaxDER is the largest session that is stored, in bytes: room for all but odd client
	// certificates, whose chain libssl does not put into a session.
	MaxDER = 6 << 10
	// MaxSealed is the largest entry that a store is given, in bytes.
	MaxSealed = MaxDER + sealedExtra
	// MaxID is the largest session id in bytes (RFC 5246, 7.4.1.2).
	MaxID = 32

	// Duplicates is how many entries a store may have under one lookup key: all but one are left from a stolen lock.
	Duplicates = 4
)

// Cache keeps sealed sessions in a store. All methods are safe for concurrent use.
type Cache struct {
	store  Store
	expect func(*LookupKey) // tells the store which key comes
	works  sync.Pool
	now    func() int64
	report func(error) // what OnError was given
	news   News

	rings     atomic.Pointer[keyring]
	announced Records          // where others say how the sealing keys change; nil: nowhere
	following sync.Mutex       // one thread at a time takes that over
	changed   func(fewer bool) // what OnKeys was given
	learned   func(key []byte) // is told each new key
}

// New makes a cache over a store. The first key seals; entries of every key open.
// The keys are not referred to afterwards. Each process makes its own cache.
func New(store Store, keys [][]byte) (*Cache, error) {
	if len(keys) == 0 {
		return nil, ErrKeys
	}
	c := &Cache{store: store, now: systemTime, report: func(error) {}, news: silence{}, changed: func(bool) {}, learned: func([]byte) {}}
	c.works.New = func() any { return new(work) }
	c.announced, _ = store.(Records)
	c.expect = func(*LookupKey) {}
	if s, can := store.(Foresighted); can {
		c.expect = s.Expect
	}
	var order []*sealingKey
	for _, key := range keys {
		if len(key) != KeySize {
			return nil, ErrKeys
		}
		k, err := newSealingKey(key, store.ID())
		if err != nil {
			return nil, err
		}
		if len(order) == 0 {
			k.sealer, err = newSealer(&k.derivation)
		} else {
			k.sealer, err = order[0].sealer.under(&k.derivation)
		}
		if err != nil {
			return nil, err
		}
		order = append(order, k)
	}
	c.rings.Store(newKeyring(order, 0, 0))
	return c, nil
}

// OnError has a function called with each error that a method does not return, because what the
// caller gets is a miss: [ErrSpoilt], or what the store says. Call it before the cache is used.
func (c *Cache) OnError(report func(error)) { c.report = report }

// SetClock has the cache read another clock than the system's: unix seconds. Call it before the
// cache is used.
func (c *Cache) SetClock(now func() int64) { c.now = now }

func (c *Cache) end(w *work) {
	w.wipe()
	c.works.Put(w)
}

// systemTime reads one clock; time.Now reads two, and takes twice as long.
func systemTime() int64 {
	var now syscall.Timeval
	_ = syscall.Gettimeofday(&now) // fails for a bad address only
	return int64(now.Sec)
}

// seconds is a time as stores keep it, which ends in 2106.
func seconds(unix int64) uint32 { return uint32(min(max(unix, 0), math.MaxUint32)) }

// find looks w.key up, and drops what cannot be used on the way. It returns what was
// sealed, nil where there is none.
func (c *Cache) find(ctx context.Context, w *work, i int) []byte {
	for range Duplicates {
		found, err := c.store.Find(ctx, &w.key, &w.entry)
		if err != nil {
			w.why = MissedBroken
			c.fail(w.row, err)
			break
		}
		if !found {
			break
		}
		reason := Expiries
		if w.now <= w.entry.Expires {
			if plain := w.keys[i].open(w); plain != nil {
				return plain
			}
			reason, w.why = Errors, MissedBroken
		} else {
			w.why = MissedExpired
		}
		if c.dropUseless(ctx, w) {
			c.countDropped(w, reason)
		}
	}
	w.entry.Handle = Handle{}
	return nil
}

// dropUseless drops w.entry, which nobody has taken by that.
func (c *Cache) dropUseless(ctx context.Context, w *work) bool {
	once := w.entry.Once
	w.entry.Once = false
	dropped := c.drop(ctx, w)
	w.entry.Once = once
	return dropped
}

// drop drops w.entry, and reports whether this call did.
func (c *Cache) drop(ctx context.Context, w *work) bool {
	dropped, err := c.store.Drop(ctx, &w.entry)
	if err != nil {
		c.fail(w.row, err)
		return false
	}
	return dropped
}

// countDropped counts what could not be used. A route is no session that has expired.
func (c *Cache) countDropped(w *work, reason Counter) {
	switch {
	case reason == Errors:
		c.fail(w.row, ErrSpoilt)
	case !w.key.IsRoute():
		c.store.CountFor(w.row, reason, 1)
	}
}

// findRecord looks a record up under one key, and drops what does not open.
func (c *Cache) findRecord(ctx context.Context, w *work, i int, name string) (plain []byte, tally *Tally, err error) {
	records, ok := c.store.(Records)
	if !ok {
		return nil, nil, ErrNoRecords
	}
	w.lookupRecord(i, name)
	found, err := records.FindRecord(ctx, &w.key, &w.entry, w.now)
	if !found || err != nil {
		return nil, nil, err
	}
	if plain = w.keys[i].open(w); plain == nil {
		c.fail(0, ErrSpoilt)
		err = records.DropRecord(ctx, &w.entry, w.now)
	} else if counts, ok := c.store.(Countable); ok {
		tally = counts.TallyOf(&w.entry)
	}
	w.entry.Handle = Handle{}
	return plain, tally, err
}

// fail is for an error that makes a miss.
func (c *Cache) fail(row Row, err error) {
	c.store.CountFor(row, Errors, 1)
	c.report(err)
}

// Stats returns the counters of the store, and what it holds.
func (c *Cache) Stats(ctx context.Context) (Stats, error) { return c.store.Stats(ctx) }
