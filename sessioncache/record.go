package sessioncache

import "context"

// AddRecord stores a value under a name, until a time in unix seconds, where there is none under any
// of the keys: else it returns ErrExists.
func (c *Cache) AddRecord(ctx context.Context, name string, value []byte, expires int64) error {
	return c.addRecord(ctx, Tag{}, name, value, expires)
}

// addRecord has the record begin with a tag, which a reader without a key sees.
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
// the first is the one that all processes with these keys agree on.
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
