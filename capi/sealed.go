package main

// #include "glue.h"
import "C"

import (
	"time"

	"gosess/sessioncache"
)

// sealed is a store that keeps sessions as sealed bytes, which processes share. What may not be
// shared, because its bytes are not all of it or its terms are not known, is kept live in this
// process, as libssl's own cache would have kept it.
type sealed struct {
	store  *sessioncache.Shm
	cache  *sessioncache.Cache
	copies *sessioncache.Copies // of those that take long to decode
	live   *live
}

const (
	// A worker's copies may take this part of the size of the store, which it shares.
	copiesPart = 4
	// What the live sessions of a process may take up at least, in bytes: as many as libssl's
	// cache keeps of a context by default (L31).
	liveMin = 32 << 20
)

func newSealed(store *sessioncache.Shm, cache *sessioncache.Cache, size uint64) *sealed {
	cache.OnDamage(func() {
		logText(C.GOSESS_CAUSE_STORE, "a session in the store was damaged, and is dropped")
	})
	return &sealed{
		store, cache, sessioncache.NewCopies(int64(size/copiesPart), ref),
		newLive(int64(max(size, liveMin))),
	}
}

// put shares a session. What a full handshake's server name has led to is noted with it.
func (s *sealed) put(record *C.struct_gosess_record) bool {
	if !record.scope.shared {
		return bool(record.scope.live) && s.add(record)
	}
	origin := originOf(&record.scope)
	if record.scope.routed {
		s.cache.Learn(configurationOf(&record.scope), origin.ServerName, origin.Terms)
	}
	err := s.seal(origin, record)
	if err == sessioncache.ErrTooBig && bool(record.scope.live) {
		return s.add(record)
	}
	return err == nil
}

// seal stores a session. What cannot be stored is counted by the cache; the handshake goes on.
func (s *sealed) seal(origin sessioncache.Origin, record *C.struct_gosess_record) error {
	var length C.int
	der := C.gosess_encode(record.session, &length)
	if der == nil {
		return sessioncache.ErrInvalid
	}
	defer C.gosess_free_der(der, length)
	seal, err := s.cache.Put(origin, sessioncache.Session{
		ID:      bytesOf(record.id, C.int(record.id_length)),
		DER:     bytesOf(der, length),
		Expires: int64(record.expires),
	})
	if err == nil && record.copy != nil {
		s.keep(seal, &record.copy)
	}
	return err
}

// add keeps the object itself.
func (s *sealed) add(record *C.struct_gosess_record) bool {
	id := bytesOf(record.id, C.int(record.id_length))
	if s.cache.Has(ownerOf(record.scope.context), id, func(der []byte, _ sessioncache.Seal) bool { return sameStored(record.session, der) }) ||
		!s.live.put(record) {
		return false
	}
	s.store.Count(sessioncache.Stores)
	return true
}

// keep keeps a copy of what takes long to decode, with the reference that the caller had.
func (s *sealed) keep(seal sessioncache.Seal, object **C.SSL_SESSION) {
	session := *object
	*object = nil
	unused(s.copies.Put(seal, objectOf(session), int(C.gosess_live_size(session, 0))))
}

func (s *sealed) get(lookup *C.struct_gosess_lookup) {
	if s.live.any() {
		if s.live.get(lookup); lookup.session != nil {
			s.store.Count(sessioncache.Hits)
			return
		}
	}
	origin := originOf(&lookup.scope)
	known := bool(lookup.scope.shared)
	if known && bool(lookup.scope.routed) {
		origin.Terms, known = s.cache.Route(configurationOf(&lookup.scope), origin.ServerName)
		setTerms(&lookup.scope, origin.Terms)
	}
	if !known {
		s.store.Count(sessioncache.Misses)
		return
	}
	s.find(lookup, origin)
}

// find looks for a session that is shared under known terms.
func (s *sealed) find(lookup *C.struct_gosess_lookup, origin sessioncache.Origin) {
	find, copyOf := s.cache.Get, s.copies.Get
	if lookup.take {
		find, copyOf = s.cache.Take, s.copies.Drop
	} else if lookup.ticket {
		find = s.cache.Spend
	}
	der, stored, ok := find(origin, bytesOf(lookup.id, lookup.id_length), roomOf(lookup))
	if !ok {
		if err := s.store.Check(); err != nil {
			logError(C.GOSESS_CAUSE_STORE, "somebody has overwritten the file of the store", err)
		}
		return
	}
	hand(lookup, der)
	setSeal(lookup, stored.Seal)
	lookup.bound = true
	lookup.ends = C.int64_t(stored.Expires)
	if object, ok := copyOf(stored.Seal); ok {
		lookup.copy = sessionOf(object)
	}
}

func (s *sealed) remove(record *C.struct_gosess_record) {
	s.live.remove(record)
	if s.cache.Remove(bytesOf(record.id, C.int(record.id_length)), func(der []byte, seal sessioncache.Seal) bool {
		if !sameStored(record.session, der) {
			return false
		}
		if object, ok := s.copies.Drop(seal); ok {
			C.gosess_outcome_unused(sessionOf(object))
		}
		return true
	}) {
		C.gosess_outcome_removed(nil)
	}
}

func (s *sealed) number(context *C.struct_gosess_context) int {
	return s.live.number(context) + s.cache.Number(ownerOf(context))
}

// flush leaves what has expired to the store, which drops it on its way: libssl flushes
// by itself every 255 connections, and looking at every entry takes too long for that.
func (s *sealed) flush(context *C.struct_gosess_context, before int64) {
	s.live.flush(context, before)
	if before == 0 || before > time.Now().Unix() {
		s.cache.Flush(ownerOf(context), before)
	}
}

func (s *sealed) forget(context *C.struct_gosess_context) { s.live.forget(context) }

func (s *sealed) clear() {
	s.live.clear()
	s.cache.Clear()
	unused(s.copies.Clear())
}

func (s *sealed) close() {
	s.live.close()
	unused(s.copies.Clear())
}

func (s *sealed) stats() sessioncache.Stats { return s.cache.Stats() }
