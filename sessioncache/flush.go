package sessioncache

import "context"

// Flush drops the sessions of an owner that end before a time, in unix seconds, and all of
// them where it is 0.
func (c *Cache) Flush(ctx context.Context, owner [32]byte, before int64) error {
	w := c.begin()
	defer c.end(w)
	var failed error
	for i := range w.keys {
		of := w.ownerTag(i, &owner)
		if err := c.flush(ctx, &of, seconds(before)); err != nil {
			failed = err
		}
	}
	return failed
}

func (c *Cache) flush(ctx context.Context, owner *Tag, before uint32) error {
	err := c.store.Flush(ctx, owner, before)
	c.news.Flushed(owner, before) // whatever becomes of this store
	return err
}

// Row is for [Origin]: where lookups and stores of an owner are counted, whose name for people is the label.
func (c *Cache) Row(owner [32]byte, label string) Row {
	w := c.begin()
	defer c.end(w)
	return c.store.Row(w.ownerTag(0, &owner), label, int64(w.now))
}

// Clear drops every session of every owner. What server names lead to stays known.
func (c *Cache) Clear(ctx context.Context) error { return c.flush(ctx, nil, 0) }

// Number returns how many sessions of an owner are stored, those included whose time is over.
func (c *Cache) Number(ctx context.Context, owner [32]byte) (int, error) {
	w := c.begin()
	defer c.end(w)
	all := 0
	for i := range w.keys {
		of := w.ownerTag(i, &owner)
		n, err := c.store.Number(ctx, &of)
		if err != nil {
			return 0, err
		}
		all += n
	}
	return all, nil
}
