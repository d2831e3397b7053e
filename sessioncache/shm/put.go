package shm

import (
	"context"
	"math"
	"sync/atomic"

	"gosess/sessioncache"
)

// quarantine is how long nobody else gets the space that a living writer was robbed of,
// in seconds: far longer than a process that wants to run is kept waiting for a core.
const quarantine = 2

// newcomerPart: an entry that nobody has come back with yet counts as this part of a set's
// slots older than one that was just used. On a Zipf trace that is better than plain LRU.
const newcomerPart = 8

// What is larger lies in the first part of a set's data, so that all large entries
// together take no more than that from the others.
const (
	largeUnits = 2 << 10 / wordSize
	largePart  = 4
)

// noTag is the tag of what is no session.
const noTag = 0

// Put stores sealed under key, in place of what is there. What has expired makes way
// first, then what was not used for longest.
func (s *Store) Put(_ context.Context, key *sessioncache.LookupKey, sealed []byte, expires, now uint32) error {
	return s.put(key, sealed, expires, now, nil)
}

// Swap is Put of e.Sealed, if what is stored still is what e was found as.
func (s *Store) Swap(_ context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry, expires, now uint32) error {
	return s.put(key, e.Sealed, expires, now, e)
}

func (s *Store) put(key *sessioncache.LookupKey, sealed []byte, expires, now uint32, old *sessioncache.Entry) error {
	if len(sealed) == 0 {
		return sessioncache.ErrInvalid
	}
	need := unitsOf(len(sealed))
	if len(sealed) > maxSealed || need > s.most(need) {
		return sessioncache.ErrTooBig
	}
	set, tag := s.setOf(key), tagOf(key)
	token, robbed := s.lock(set)
	if token == 0 {
		return sessioncache.ErrBusy
	}
	// Deferred: the file may have been cut short, which is a panic here.
	defer s.unlock(set, token)
	if robbed {
		s.quarantine(set, token, now)
	}
	if old != nil && !s.isStill(set, tag, old) {
		return sessioncache.ErrChanged
	}
	p := s.plans.Get().(*plan)
	defer s.plans.Put(p)
	slot, start := s.makeRoom(p, set, token, tag, s.home(key), need, now)

	// Nobody looks at the data before the meta word says that it is there.
	if !s.claim(set, token, slot, deadMeta(makeMeta(start, len(sealed), 0))) {
		return sessioncache.ErrInterrupted
	}
	s.write(s.data(set)+start, sealed)
	if !s.holds(set, token) {
		return sessioncache.ErrInterrupted
	}
	for _, victim := range p.victims {
		s.bury(set, token, int(victim), start, start+need)
	}
	s.store(s.tags(set)+slot, tag)
	s.store(s.times(set)+slot, makeTimes(expires, uint32(s.add(set+setClock, 1))-uint32(s.slots/newcomerPart)))
	meta := makeMeta(start, len(sealed), s.add(set+setGeneration, 1))
	if !s.holds(set, token) || !s.cas(s.metas(set)+slot, 0, meta) {
		return sessioncache.ErrInterrupted
	}
	return nil
}

// most is how many units, the first ones of a set's data, an entry of that size may lie in.
func (s *Store) most(need int) int {
	if need > largeUnits {
		return s.units / largePart
	}
	return s.units
}

// isStill reports whether the one live entry of a tag is what e was found as, or there is
// none and e was not found.
func (s *Store) isStill(set int, tag uint64, e *sessioncache.Entry) bool {
	var was sessioncache.Handle
	for slot := range s.slots {
		meta := s.load(s.metas(set) + slot)
		if !isLive(meta) || s.load(s.tags(set)+slot) != tag {
			continue
		}
		if was != (sessioncache.Handle{}) {
			return false
		}
		was = handleOf(s.metas(set)+slot, meta)
	}
	return was == e.Handle
}

// makeRoom returns a slot and the start of need units, which are free but for the
// victims: their descriptors are dead, and they are to be buried.
func (s *Store) makeRoom(p *plan, set int, token, tag uint64, home, need int, now uint32) (slot, start int) {
	p.victims = p.victims[:0]
	o := s.survey(set, token, tag, home, now)
	// Most often the set is full, and the oldest entry takes as much room as the new one: the new
	// one lies in its place then, which is right for a large one too.
	if (o.free < 0 || o.used+need > s.units) && metaUnits(o.oldest.meta) >= need {
		s.evict(p, set, o.oldest)
		return o.oldest.slot, metaStart(o.oldest.meta)
	}
	s.arrange(p, set, need)
	if p.gap < 0 {
		first, last := p.window(need)
		for _, e := range p.live[first : last+1] {
			s.evict(p, set, tenant{int(e.slot), p.noted[e.slot].meta})
		}
		return int(p.live[first].slot), int(p.live[first-1].end)
	}
	if o.free < 0 && len(p.victims) == 0 {
		s.evict(p, set, o.oldest)
	}
	if o.free < 0 {
		return int(p.victims[0]), p.gap
	}
	return o.free, p.gap
}

// tenant is an entry and where it is.
type tenant struct {
	slot int
	meta uint64
}

// overview is what a look at all descriptors of a set says.
type overview struct {
	free   int    // the free slot that comes next after home, -1 where there is none
	used   int    // units of data
	oldest tenant // the least recently used entry; meta is 0 where there is none
}

// survey looks at every descriptor of a set. It drops what the new entry replaces, what
// has expired, and what cannot be an entry.
func (s *Store) survey(set int, token, tag uint64, home int, now uint32) overview {
	o := overview{free: -1}
	tags := s.w[s.tags(set):s.metas(set)]
	metas := s.w[s.metas(set):s.times(set)][:len(tags)]
	times := s.w[s.times(set):s.data(set)][:len(tags)]
	// Stamps that readers make meanwhile are not older than the others.
	clock := uint32(s.load(set+setClock)) + 1<<16
	age := uint32(0)
	for slot := range tags {
		meta := atomic.LoadUint64(&metas[slot])
		if isLive(meta) {
			t := atomic.LoadUint64(&times[slot])
			if atomic.LoadUint64(&tags[slot]) != tag && timesExpires(t) >= now && s.sound(meta) {
				o.used += metaUnits(meta)
				if a := clock - uint32(t); a > age {
					age, o.oldest = a, tenant{slot, meta}
				}
				continue
			}
			s.discard(set, token, slot, tag, meta, now)
		} else if meta != 0 {
			s.bury(set, token, slot, 0, 0) // what somebody else has dropped
		}
		if o.free < home && (o.free < 0 || slot >= home) {
			o.free = slot
		}
	}
	return o
}

// discard drops what a new entry of that tag does not leave in its set.
func (s *Store) discard(set int, token uint64, slot int, tag, meta uint64, now uint32) {
	own := s.load(s.tags(set) + slot)
	if s.cas(s.metas(set)+slot, meta, deadMeta(meta)) && own != tag && own != noTag && !isRoute(own) {
		reason := sessioncache.Errors
		if s.sound(meta) && timesExpires(s.load(s.times(set)+slot)) < now {
			reason = sessioncache.Expiries
		}
		s.Count(reason)
	}
	s.bury(set, token, slot, 0, 0)
}

// arrange sorts the entries of a set by place. Those that overlap, which is what is left
// when a lock was stolen from a live writer, become victims.
func (s *Store) arrange(p *plan, set, need int) {
	p.reset()
	metas, times := s.metas(set), s.times(set)
	for slot := range s.slots {
		meta := s.load(metas + slot)
		switch {
		case meta == 0:
		case !isLive(meta): // dropped since the survey: its space is free now
			p.victims = append(p.victims, uint16(slot))
		case !s.sound(meta), !p.add(slot, meta, uint32(s.load(times+slot))):
			s.expel(p, set, tenant{slot, meta}, sessioncache.Errors)
		}
	}
	// The clock is read last, so that no stamp is newer.
	for _, slot := range p.sort(uint32(s.load(set+setClock)), need, s.most(need)) {
		s.expel(p, set, tenant{slot, p.noted[slot].meta}, sessioncache.Errors)
	}
}

func (s *Store) evict(p *plan, set int, e tenant) { s.expel(p, set, e, sessioncache.Evictions) }

// expel makes an entry a victim, and counts it as c unless somebody else dropped it first.
// A route that makes way is no session that did.
func (s *Store) expel(p *plan, set int, e tenant, c sessioncache.Counter) {
	route := isRoute(s.load(s.tags(set) + e.slot))
	if s.cas(s.metas(set)+e.slot, e.meta, deadMeta(e.meta)) && !route {
		s.Count(c)
	}
	p.victims = append(p.victims, uint16(e.slot))
}

// quarantine makes an entry that nobody can look up of what a robbed writer has claimed:
// else what it still writes would spoil the entry of another.
func (s *Store) quarantine(set int, token uint64, now uint32) {
	place := s.load(set + setPlace)
	s.store(set+setPlace, 0)
	slot, dead := int(place>>metaPlaceBits)-1, deadMeta(place)
	if slot < 0 || slot >= s.slots || !s.sound(dead) || s.overlaps(set, dead) {
		return
	}
	s.bury(set, token, slot, metaStart(dead), metaStart(dead)+metaUnits(dead))
	s.store(s.tags(set)+slot, noTag)
	s.store(s.times(set)+slot, makeTimes(now+min(quarantine, math.MaxUint32-now), uint32(s.load(set+setClock))))
	s.cas(s.metas(set)+slot, 0, dead|makeMeta(0, 0, s.add(set+setGeneration, 1)))
}

// overlaps reports whether a place is one of a live entry too: then its writer has
// finished, or was robbed twice.
func (s *Store) overlaps(set int, place uint64) bool {
	for slot := range s.slots {
		meta := s.load(s.metas(set) + slot)
		if isLive(meta) && metaStart(meta) < metaStart(place)+metaUnits(place) &&
			metaStart(place) < metaStart(meta)+metaUnits(meta) {
			return true
		}
	}
	return false
}
