package sessioncache

// News is told what a [Cache] has done to its store, for who brings that to other stores. It is told
// after that is done, by whoever did it, and waits for nobody.
type News interface {
	Stored(key *LookupKey, expires uint32)
	Removed(key *LookupKey)
	Flushed(owner *Tag, before uint32)
	Made(key *LookupKey, expires uint32) // a record
}

// Tell has news told. Call it before the cache is used. What makes way, or has expired, or is taken, is no news.
func (c *Cache) Tell(news News) { c.news = news }

// silence is where nobody hears of it.
type silence struct{}

func (silence) Stored(*LookupKey, uint32) {}
func (silence) Removed(*LookupKey)        {}
func (silence) Flushed(*Tag, uint32)      {}
func (silence) Made(*LookupKey, uint32)   {}

// Keys appends the lookup keys of a session, one for each sealing key, under one of which another store may have it.
func (c *Cache) Keys(id []byte, dst []LookupKey) []LookupKey {
	if len(id) == 0 || len(id) > MaxID {
		return dst
	}
	w := c.begin()
	defer c.end(w)
	for i := range c.keys {
		w.lookup(i, id)
		dst = append(dst, w.key)
	}
	return dst
}

// RecordKeys is Keys of a record.
func (c *Cache) RecordKeys(name string, dst []LookupKey) []LookupKey {
	w := c.begin()
	defer c.end(w)
	for i := range c.keys {
		w.lookupRecord(i, name)
		dst = append(dst, w.key)
	}
	return dst
}
