package main

// #include "glue.h"
import "C"

import (
	"time"

	"gosess/sessioncache"
)

// sealed is a store that keeps sessions as sealed bytes, which processes share.
type sealed struct {
	store  *sessioncache.Shm
	cache  *sessioncache.Cache
	copies *sessioncache.Copies // of those that take long to decode
}

// A worker's copies may take this part of the size of the store, which it shares.
const copiesPart = 4

func newSealed(store *sessioncache.Shm, cache *sessioncache.Cache, size uint64) *sealed {
	cache.OnDamage(func() {
		logText(C.GOSESS_CAUSE_STORE, "a session in the store was damaged, and is dropped")
	})
	return &sealed{store, cache, sessioncache.NewCopies(int64(size/copiesPart), ref)}
}

func (s *sealed) put(record *C.struct_gosess_record) bool {
	var length C.int
	der := C.gosess_encode(record.session, &length)
	if der == nil {
		return false
	}
	defer C.gosess_free_der(der, length)
	// What cannot be stored is counted by the cache; the handshake goes on.
	seal, err := s.cache.Put(originOf(record), sessioncache.Session{
		ID:      bytesOf(record.id, C.int(record.id_length)),
		DER:     bytesOf(der, length),
		Expires: int64(record.expires),
	})
	if err == nil && record.copy != nil {
		s.keep(seal, &record.copy)
	}
	return err == nil
}

// keep keeps a copy of what takes long to decode, with the reference that the caller had.
func (s *sealed) keep(seal sessioncache.Seal, object **C.SSL_SESSION) {
	session := *object
	*object = nil
	unused(s.copies.Put(seal, objectOf(session), int(C.gosess_live_size(session))))
}

func (s *sealed) get(lookup *C.struct_gosess_lookup) {
	find, copyOf := s.cache.Get, s.copies.Get
	if lookup.take {
		find, copyOf = s.cache.Take, s.copies.Drop
	} else if lookup.ticket {
		find = s.cache.Spend
	}
	der, stored, ok := find(wanted(lookup), bytesOf(lookup.id, lookup.id_length), roomOf(lookup))
	if !ok {
		if err := s.store.Check(); err != nil {
			logError(C.GOSESS_CAUSE_STORE, "somebody has overwritten the file of the store", err)
		}
		return
	}
	hand(lookup, der)
	setSeal(lookup, stored.Seal)
	lookup.ends = C.int64_t(stored.Expires)
	if object, ok := copyOf(stored.Seal); ok {
		lookup.copy = sessionOf(object)
	}
}

func (s *sealed) remove(record *C.struct_gosess_record) {
	id := bytesOf(record.id, C.int(record.id_length))
	if s.cache.Remove(id, func(der []byte, seal sessioncache.Seal) bool {
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
	return s.cache.Number(digestOf(context))
}

// flush leaves what has expired to the store, which drops it on its way: libssl flushes
// by itself every 255 connections, and looking at every entry takes too long for that.
func (s *sealed) flush(context *C.struct_gosess_context, before int64) {
	if before == 0 || before > time.Now().Unix() {
		s.cache.Flush(digestOf(context), before)
	}
}

func (s *sealed) forget(*C.struct_gosess_context) {}

func (s *sealed) clear() {
	s.cache.Clear()
	unused(s.copies.Clear())
}

func (s *sealed) close() { unused(s.copies.Clear()) }

func (s *sealed) stats() sessioncache.Stats { return s.cache.Stats() }
