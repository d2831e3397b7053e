package sessioncache

// Tell has news told. Call it before the cache is used. What makes way, or has expired, or is taken, is no news.
func (c *Cache) Tell(news News) { c.news = news }

// Keys appends the lookup keys of a session, one for each sealing key, under one of which another store may have it.
func (c *Cache) Keys(id []byte, dst []LookupKey) []LookupKey {
	if len(id) == 0 || len(id) > MaxID {
		return dst
	}
	w := c.begin()
	defer c.end(w)
	for i := range w.keys {
		w.lookup(i, id)
		dst = append(dst, w.key)
	}
	return dst
}

// AnnouncedKeys appends the lookup keys of the records that would say that the sealing keys have changed.
func (c *Cache) AnnouncedKeys(dst []LookupKey) []LookupKey {
	w := c.begin()
	defer c.end(w)
	w.keys = c.ring(w.now).order
	w.lookupRecord(0, nextKey)
	dst = append(dst, w.key)
	for i := range len(w.keys) - 1 {
		w.lookupRecord(i, firstKey)
		dst = append(dst, w.key)
	}
	return dst
}

// RecordKeys is Keys of a record.
func (c *Cache) RecordKeys(name string, dst []LookupKey) []LookupKey {
	w := c.begin()
	defer c.end(w)
	for i := range w.keys {
		w.lookupRecord(i, name)
		dst = append(dst, w.key)
	}
	return dst
}
