package sessioncache

import "encoding/binary"

// Flush drops the sessions of an owner that end before a time, in unix seconds, and all of
// them where it is 0.
func (c *Cache) Flush(owner [32]byte, before int64) {
	w := c.begin()
	defer c.end(w)
	of := w.ownerTag(&owner)
	c.store.Flush(&of, seconds(before))
}

// Clear drops every session of every owner. What server names lead to stays known.
func (c *Cache) Clear() { c.store.Flush(nil, 0) }

// Number returns how many sessions of an owner are stored, those included whose time is over.
func (c *Cache) Number(owner [32]byte) int {
	w := c.begin()
	defer c.end(w)
	of := w.ownerTag(&owner)
	return c.store.Number(&of)
}

// Flush drops the sessions of an owner, of all where it is nil, that end before a time, and all
// of them where it is 0. It looks at every entry, and waits for no lock.
func (s *Shm) Flush(owner *tag, before uint32) {
	s.each(owner, func(set, slot int, meta uint64) {
		if (before == 0 || timesExpires(s.load(s.times(set)+slot)) < before) && s.kill(set, slot, meta) {
			s.Count(Removals)
		}
	})
}

// Number counts the sessions of an owner.
func (s *Shm) Number(owner *tag) (n int) {
	s.each(owner, func(int, int, uint64) { n++ })
	return n
}

// each calls do for every session of an owner, of all where it is nil. The entry may be another
// one by then, which its meta word says.
func (s *Shm) each(owner *tag, do func(set, slot int, meta uint64)) {
	for i := range s.sets {
		set := setsAt + i*s.setSize
		for slot := range s.slots {
			meta := s.load(s.metas(set) + slot)
			if !isLive(meta) || !s.sound(meta) || isRoute(s.load(s.tags(set)+slot)) {
				continue
			}
			if owner == nil || *owner == s.head(set, meta) {
				do(set, slot, meta)
			}
		}
	}
}

// head is the tag that an entry begins with.
func (s *Shm) head(set int, meta uint64) tag {
	var word [wordSize]byte
	binary.NativeEndian.PutUint64(word[:], s.load(s.data(set)+metaStart(meta)))
	return tag(word[:])
}
