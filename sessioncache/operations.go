package sessioncache

import "context"

// Put stores a session in place of what is stored under its id.
func (c *Cache) Put(ctx context.Context, o Origin, s Session) (Seal, error) {
	seal, err := c.put(ctx, o, s)
	counted := Errors
	switch err {
	case nil:
		counted = Stores
	case ErrTooBig:
		counted = TooBig
	case ErrExpired:
		counted = Expiries
	}
	c.store.CountFor(o.Row, counted, 1)
	return seal, err
}

func (c *Cache) put(ctx context.Context, o Origin, s Session) (Seal, error) {
	w := c.begin()
	defer c.end(w)
	expires := seconds(s.Expires)
	switch {
	case len(s.ID) == 0 || len(s.ID) > MaxID || len(s.DER) == 0:
		return Seal{}, ErrInvalid
	case len(s.DER) > MaxDER:
		return Seal{}, ErrTooBig
	case w.now > expires:
		return Seal{}, ErrExpired
	}
	if err := c.dropOthers(ctx, w, s.ID); err != nil {
		return Seal{}, err
	}
	w.lookup(0, s.ID)
	c.expect(&w.key) // the store's memory comes while the session is sealed
	owner, terms, name := w.ownerTag(0, &o.Owner), w.termsTag(0, &o.Terms), w.nameTag(0, o.ServerName)
	w.text = append(append(append(w.text[:0], terms[:]...), name[:]...), s.DER...)
	if err := w.keys[0].sealer.seal(w, owner, expires); err != nil {
		return Seal{}, err
	}
	return sealOf(&w.entry), c.putEntry(ctx, w, expires)
}

func (c *Cache) putEntry(ctx context.Context, w *work, expires uint32) error {
	err := c.store.Put(ctx, &w.key, w.entry.Sealed, expires, w.now)
	if err == nil {
		c.news.Stored(&w.key, expires)
	}
	return err
}

// dropOthers drops what is stored under the other keys: it would come back when the new entry has
// been evicted.
func (c *Cache) dropOthers(ctx context.Context, w *work, id []byte) error {
	for i := 1; i < len(w.keys); i++ {
		w.lookup(i, id)
		for range Duplicates {
			found, err := c.store.Find(ctx, &w.key, &w.entry)
			if found && err == nil {
				_, err = c.store.Drop(ctx, &w.entry)
				c.news.Removed(&w.key, w.entry.Expires)
			}
			if err != nil {
				return err
			}
			if !found {
				break
			}
		}
	}
	return nil
}

// Get appends the DER of a session to dst. Not ok is a miss: there is none, or it has
// expired, or it was made under other terms or another server name, or it is damaged, or the store
// does not say.
func (c *Cache) Get(ctx context.Context, o Origin, id, dst []byte) (der []byte, stored Stored, ok bool) {
	return c.get(ctx, o, id, dst, again)
}

// Spend is Get for a session whose client will hardly come back with it, which is so with
// every ticket of TLS 1.3 (RFC 8446, appendix C.4). It is still there, but makes way earlier.
func (c *Cache) Spend(ctx context.Context, o Origin, id, dst []byte) (der []byte, stored Stored, ok bool) {
	return c.get(ctx, o, id, dst, hardlyAgain)
}

// Take is Get for a session that may be used once: of all threads that take it, in all processes
// that share the store, one has it and the others miss. Whoever asks for it under
// other terms or another server name leaves it where it is. Put puts it back.
func (c *Cache) Take(ctx context.Context, o Origin, id, dst []byte) (der []byte, stored Stored, ok bool) {
	return c.get(ctx, o, id, dst, neverAgain)
}

// use says whether a session that is found may be found again.
type use int

const (
	again use = iota
	hardlyAgain
	neverAgain
)

func (c *Cache) get(ctx context.Context, o Origin, id, dst []byte, use use) (der []byte, stored Stored, ok bool) {
	w := c.begin()
	defer c.end(w)
	w.row, w.entry.Spent, w.entry.Once = o.Row, use == hardlyAgain, use == neverAgain
	absent := true
	for i := range w.keys {
		head, found := c.findSession(ctx, w, i, id)
		if found == nil {
			if w.entry.Taken {
				w.why = MissedTaken
			}
			continue
		}
		absent = false
		if !w.shares(i, head, &o) || w.flushed(i, &o) {
			c.leave(w, use)
			break
		}
		if use == neverAgain && !c.drop(ctx, w) {
			w.why = MissedTaken
			break
		}
		c.store.CountFor(o.Row, Hits, 1)
		return append(dst, found...), Stored{Expires: int64(w.entry.Expires), Seal: sealOf(&w.entry)}, true
	}
	c.store.CountFor(o.Row, Misses, 1)
	c.store.CountFor(o.Row, w.why, 1)
	return dst, Stored{Absent: absent && w.why == MissedAbsent}, false
}

// leave leaves a session where it is that is not for the client that asks. A caller that was about to take it has had it
// taken from other stores before.
func (c *Cache) leave(w *work, use use) {
	if use == neverAgain {
		c.news.Stored(&w.key, w.entry.Expires)
	}
}

// Remove drops the session of an id, if same says of its DER, and of its seal, that it is
// the one to be removed: a client can choose the id that a removal comes with (L15). The DER
// is not valid afterwards. It reports whether there was such a session.
func (c *Cache) Remove(ctx context.Context, id []byte, same func(der []byte, seal Seal) bool) bool {
	w := c.begin()
	defer c.end(w)
	removed := false
	for i := range w.keys {
		for range Duplicates {
			if !c.holds(ctx, w, i, id, same) {
				break
			}
			if c.drop(ctx, w) {
				removed = true
				c.news.Removed(&w.key, w.entry.Expires)
			}
		}
	}
	if removed {
		c.store.Count(Removals)
	}
	return removed
}

// Has reports whether an owner has stored the session of an id, and same says of its DER and of its
// seal that it is the one that is meant. It is not a lookup: nothing is counted.
func (c *Cache) Has(ctx context.Context, owner [32]byte, id []byte, same func(der []byte, seal Seal) bool) bool {
	w := c.begin()
	defer c.end(w)
	for i := range w.keys {
		if c.holds(ctx, w, i, id, same) {
			return OwnerOf(w.entry.Sealed) == w.ownerTag(i, &owner)
		}
	}
	return false
}

// holds reports whether the session of an id under one key is the one that is meant.
func (c *Cache) holds(ctx context.Context, w *work, i int, id []byte, same func(der []byte, seal Seal) bool) bool {
	_, der := c.findSession(ctx, w, i, id)
	if der == nil {
		return false
	}
	defer clear(der) // what is read next may not overwrite all of it
	return same(der, sealOf(&w.entry))
}

// findSession looks an id up under one key. The DER is nil where there is none.
func (c *Cache) findSession(ctx context.Context, w *work, i int, id []byte) (head, der []byte) {
	if len(id) == 0 || len(id) > MaxID {
		return nil, nil
	}
	w.lookup(i, id)
	if plain := c.find(ctx, w, i); len(plain) >= sessionHead {
		return plain[:sessionHead], plain[sessionHead:]
	}
	return nil, nil
}
