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
}

// AddRecord stores a value under a name, until a time in unix seconds, where there is none under any
// of the keys: else it returns ErrExists.
func (c *Cache) AddRecord(ctx context.Context, name string, value []byte, expires int64) error {
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
	for i := range c.keys {
		if plain, err := c.findRecord(ctx, w, i, name); plain != nil || err != nil {
			clear(plain)
			return orExists(err)
		}
	}
	w.lookupRecord(0, name)
	w.text = append(w.text[:0], value...)
	if err := c.sealer.seal(w, Tag{}, seconds(expires)); err != nil {
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
func (c *Cache) Record(ctx context.Context, name string) (values [][]byte, err error) {
	w := c.begin()
	defer c.end(w)
	for i := range c.keys {
		plain, failed := c.findRecord(ctx, w, i, name)
		if failed != nil {
			err = failed
		}
		if plain != nil {
			values = append(values, append([]byte(nil), plain...))
		}
	}
	return values, err
}

// findRecord looks a record up under one key, and drops what does not open.
func (c *Cache) findRecord(ctx context.Context, w *work, i int, name string) (plain []byte, err error) {
	records, ok := c.store.(Records)
	if !ok {
		return nil, ErrNoRecords
	}
	w.lookupRecord(i, name)
	found, err := records.FindRecord(ctx, &w.key, &w.entry, w.now)
	if !found || err != nil {
		return nil, err
	}
	if plain = c.keys[i].open(w); plain == nil {
		c.fail(0, ErrSpoilt)
		err = records.DropRecord(ctx, &w.entry, w.now)
	}
	w.entry.Handle = Handle{}
	return plain, err
}

// ExpireRecords has the store forget the records whose time is over.
func (c *Cache) ExpireRecords(ctx context.Context) error {
	if records, ok := c.store.(Records); ok {
		return records.ExpireRecords(ctx, seconds(c.now()))
	}
	return ErrNoRecords
}

// RecordRoom is how many records the store has room for.
func (c *Cache) RecordRoom() int {
	if records, ok := c.store.(Records); ok {
		return records.RecordRoom()
	}
	return 0
}
