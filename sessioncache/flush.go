package sessioncache

// Flush drops every session that ends before a time, in unix seconds, and all of them
// where it is 0.
func (c *Cache) Flush(before int64) { c.store.Flush(seconds(before)) }

// Flush drops the entries that end before a time, and all of them where it is 0. It
// looks at every entry, and waits for no lock.
func (s *Shm) Flush(before uint32) {
	for i := range s.sets {
		set := setsAt + i*s.setSize
		for slot := range s.slots {
			meta := s.load(s.metas(set) + slot)
			if isLive(meta) && (before == 0 || timesExpires(s.load(s.times(set)+slot)) < before) &&
				s.kill(set, slot, meta) {
				s.Count(Removals)
			}
		}
	}
}
