package sessioncache

import "context"

// Change replaces the DER and the end of the session of an id, if same says of what is stored that it
// is the one that is meant: the program that has made it has changed it. ends is told in unix
// seconds when the stored one ends, and says when it ends now. Under which terms and which server
// name it is had does not change, nor whose it is. Where that cannot be stored, or der is empty, the
// session has gone.
func (c *Cache) Change(ctx context.Context, id, der []byte, ends func(stored int64) int64, same func(der []byte, seal Seal) bool) {
	w := c.begin()
	defer c.end(w)
	for i := range w.keys {
		head, stored := c.findSession(ctx, w, i, id)
		// Of several that take a session or change it, one has it.
		if stored == nil || !same(stored, sealOf(&w.entry)) || !c.drop(ctx, w) {
			continue
		}
		ended := w.entry.Expires
		if !c.putChanged(ctx, w, i, head, der, ends(int64(ended))) {
			c.news.Removed(&w.key, ended)
			c.store.Count(Removals)
		}
	}
}

// putChanged stores what has become of w.entry, which was sealed with the i-th key, and is again: its tags say
// nothing under another one.
func (c *Cache) putChanged(ctx context.Context, w *work, i int, head, der []byte, ends int64) bool {
	expires := seconds(ends)
	if len(der) == 0 || len(der) > MaxDER || w.now > expires {
		return false
	}
	owner := OwnerOf(w.entry.Sealed)
	w.text = append(append(w.text[:0], head...), der...)
	clear(w.entry.Sealed) // the new bytes may be fewer
	err := w.keys[i].sealer.seal(w, owner, expires)
	if err == nil {
		err = c.putEntry(ctx, w, expires)
	}
	if err != nil {
		c.fail(w.row, err)
	}
	return err == nil
}
