package shm

import "gosess/sessioncache"

// Listed is a session, as far as a store shows it to a reader without a key.
type Listed struct {
	Key     uint64 // 44 bits of the keyed hash of its id
	Owner   sessioncache.Tag
	Stored  int64 // unix seconds, to 3 % of what it was to live
	Expires int64 // unix seconds
	Size    int   // bytes that are sealed
	Used    bool  // somebody has come back with it
}

// List calls do for each session, of one owner or of all where it is nil.
func (r *Reader) List(owner *sessioncache.Tag, do func(Listed)) {
	r.m.each(owner, func(at int, slot uint64) {
		times := r.m.load(at + ofSlot)
		set := r.m.setOf(at)
		upper := r.m.load(r.m.data(set)+slotStart(slot)) & (1<<32 - 1)
		do(Listed{
			Key:     upper<<slotTagBits | slot&slotTag>>slotTagAt,
			Owner:   r.m.owner(set, slot),
			Stored:  timesStored(times),
			Expires: int64(timesExpires(times)),
			Size:    slotLength(slot),
			Used:    timesUse(times) != fresh,
		})
	})
}

// Fleet reports whether the store is that of a fleet.
func (r *Reader) Fleet() bool { return r.m.fleet }

// ID is what entries are bound to.
func (r *Reader) ID() sessioncache.StoreID { return r.m.boundTo() }

// FindRecord copies a record to e, false where there is none that has not expired. It writes nothing.
func (r *Reader) FindRecord(key *sessioncache.LookupKey, e *sessioncache.Entry, now uint32) bool {
	records := r.m.recordsFor(0)
	return records.look(key, e, now)
}

// RecordRoom is how many records there can be.
func (r *Reader) RecordRoom() int { return r.m.recordsFor(0).count }

// Published is another number after each record that was added.
func (r *Reader) Published() uint64 { return r.m.load(recordsAt) }

// FlushStored drops the sessions of an owner, of all where it is nil, that were stored before a time, all of them where it is
// 0, and says how many.
func (s *Store) FlushStored(owner *sessioncache.Tag, before int64) (n int) {
	s.each(owner, func(at int, slot uint64) {
		if (before == 0 || timesStored(s.load(at+ofSlot)) < before) && s.kill(at, slot) {
			s.Count(sessioncache.Removals)
			n++
		}
	})
	return n
}

// FlushMade is Flush of what may have been stored by a time.
func (s *Store) FlushMade(owner *sessioncache.Tag, before uint32, made int64) {
	s.each(owner, func(at int, slot uint64) {
		times := s.load(at + ofSlot)
		earliest := timesStored(times) - int64(lifeSeconds(timesLife(times))/16)
		if (before == 0 || timesExpires(times) < before) && earliest <= made && s.kill(at, slot) {
			s.Count(sessioncache.Removals)
		}
	})
}

// Leave gives the worker slot back: a command that looked in for a moment is no worker. What was counted stays in the totals.
func (s *Store) Leave() { s.cas(s.worker+workerPID, s.pid, 0) }
