package sessioncache

import "context"

// MaxRecord is the largest value of a record in bytes, and MaxSealedRecord what a store is given
// of it.
const (
	MaxRecord       = 32
	MaxSealedRecord = MaxRecord + sealedHead + gcmTag
)

// Records is what a [Store] has besides that has room for a few small values which no session can
// push out. They are apart from the sessions, whatever their keys.
//
// Whoever adds a record where there is none is alone in that: of several, one is told nil and all
// others ErrExists. A record that has expired is not there. No method waits for another process.
type Records interface {
	// AddRecord stores sealed under key where nothing is. It is not empty, and not larger than
	// MaxSealedRecord.
	AddRecord(ctx context.Context, key *LookupKey, sealed []byte, expires, now uint32) error
	// FindRecord copies the record of key to e, false where there is none.
	FindRecord(ctx context.Context, key *LookupKey, e *Entry, now uint32) (bool, error)
	// DropRecord removes the record that FindRecord found.
	DropRecord(ctx context.Context, e *Entry, now uint32) error
	// ExpireRecords leaves nothing of what has expired.
	ExpireRecords(ctx context.Context, now uint32) error
	// RecordRoom is how many records there can be.
	RecordRoom() int
	// Published is another number after each record that was added, and 0 where none ever was.
	Published() uint64
}

// Recorded is a value of a record.
type Recorded struct {
	Value []byte
	Tally *Tally // where it is counted what the value is used for; nil where the store does not
}

// Tally counts what was done with a record. It lies in the store, is added to atomically by whoever uses the value, and may be
// another record's once this one has expired.
type Tally [tallyEnd]uint64

// What is counted of a secret of tickets.
const (
	TallyMade     = iota // tickets sealed under it
	TallyAccepted        // connections that resumed by one of these
	tallyEnd
)

// Countable is what a [Store] has besides whose counters others may add to: atomically, and as long as the store is mapped.
type Countable interface {
	// CountersOf are those of this process, and of a row; nil for the zero Row.
	CountersOf(row Row) (process, context *Counters)
	// TallyOf is that of the record which FindRecord has just found.
	TallyOf(e *Entry) *Tally
}

// AddRecord stores a value under a name, until a time in unix seconds, where there is none under any
// of the keys: else it returns ErrExists.
func (c *Cache) AddRecord(ctx context.Context, name string, value []byte, expires int64) error {
	return c.addRecord(ctx, Tag{}, name, value, expires)
}

// addRecord has the record begin with a tag, which who has no key sees.
func (c *Cache) addRecord(ctx context.Context, kind Tag, name string, value []byte, expires int64) error {
	w := c.begin()
	defer c.end(w)
	records, ok := c.store.(Records)
	switch {
	case !ok:
		return ErrNoRecords
	case len(value) == 0 || len(value) > MaxRecord:
		return ErrTooBig
	case w.now > seconds(expires):
		return ErrExpired
	}
	for i := range w.keys {
		if plain, _, err := c.findRecord(ctx, w, i, name); plain != nil || err != nil {
			clear(plain)
			return orExists(err)
		}
	}
	w.lookupRecord(0, name)
	w.text = append(w.text[:0], value...)
	if err := w.keys[0].sealer.seal(w, kind, seconds(expires)); err != nil {
		return err
	}
	err := records.AddRecord(ctx, &w.key, w.entry.Sealed, seconds(expires), w.now)
	if err == nil {
		c.news.Made(&w.key, seconds(expires))
	}
	return err
}

func orExists(err error) error {
	if err == nil {
		return ErrExists
	}
	return err
}

// Record returns the values that there are of a name: one for each of the keys at most, and of those
// the first is the one that all who have these keys agree on.
func (c *Cache) Record(ctx context.Context, name string) (values []Recorded, err error) {
	w := c.begin()
	defer c.end(w)
	for i := range w.keys {
		plain, tally, failed := c.findRecord(ctx, w, i, name)
		if failed != nil {
			err = failed
		}
		if plain != nil {
			values = append(values, Recorded{append([]byte(nil), plain...), tally})
		}
	}
	return values, err
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

// ExpireRecords has the store forget the records whose time is over.
func (c *Cache) ExpireRecords(ctx context.Context) error {
	records, ok := c.store.(Records)
	if !ok {
		return ErrNoRecords
	}
	now := seconds(c.now())
	c.ring(now) // what has become of the keys is heard of although nobody asks for anything else
	return records.ExpireRecords(ctx, now)
}

// RecordRoom is how many records the store has room for.
func (c *Cache) RecordRoom() int {
	if records, ok := c.store.(Records); ok {
		return records.RecordRoom()
	}
	return 0
}
