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

func (s *sealed) put(session *C.SSL_SESSION, record *C.struct_gosess_record) bool {
	var length C.int
	der := C.gosess_encode(session, &length)
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
	if err == nil {
		s.keep(seal, session)
	}
	return err == nil
}

// keep keeps a copy of what takes long to decode.
func (s *sealed) keep(seal sessioncache.Seal, session *C.SSL_SESSION) {
	if C.gosess_slow_to_decode(session) {
		unref(s.copies.Put(seal, objectOf(session), int(C.gosess_live_size(session))))
	}
}

func (s *sealed) get(lookup *C.struct_gosess_lookup) *C.SSL_SESSION {
	find := s.cache.Get
	if lookup.take {
		find = s.cache.Take
	} else if lookup.ticket {
		find = s.cache.Spend
	}
	buffer := buffers.Get().(*[]byte)
	defer wipe(buffer)
	der, stored, ok := find(wanted(lookup), bytesOf(lookup.id, lookup.id_length), (*buffer)[:0])
	*buffer = der
	if !ok {
		if err := s.store.Check(); err != nil {
			logError(C.GOSESS_CAUSE_STORE, "somebody has overwritten the file of the store", err)
		}
		return nil
	}
	lookup.ends = C.int64_t(stored.Expires)
	if object, ok := s.copies.Get(stored.Seal); ok {
		if lookup.take {
			s.drop(stored.Seal)
		}
		return sessionOf(object)
	}
	session := decode(der, lookup, stored.Expires)
	if session != nil && !lookup.take {
		s.keep(stored.Seal, session)
	}
	return session
}

func (s *sealed) drop(seal sessioncache.Seal) {
	if object, ok := s.copies.Drop(seal); ok {
		C.gosess_unref(sessionOf(object))
	}
}

func (s *sealed) remove(session *C.SSL_SESSION, record *C.struct_gosess_record) {
	id := bytesOf(record.id, C.int(record.id_length))
	if s.cache.Remove(originOf(record).Context, id, func(der []byte, seal sessioncache.Seal) bool {
		if !sameStored(session, der) {
			return false
		}
		s.drop(seal)
		return true
	}) {
		C.gosess_outcome_removed(nil)
	}
}

func (s *sealed) number(*C.struct_gosess_context) int { return int(s.cache.Stats().Entries) }

// flush leaves what has expired to the store, which drops it on its way: libssl flushes
// by itself every 255 connections, and looking at every entry takes too long for that.
func (s *sealed) flush(_ *C.struct_gosess_context, before int64) {
	if before == 0 || before > time.Now().Unix() {
		s.cache.Flush(before)
	}
}

func (s *sealed) forget(*C.struct_gosess_context) {}

func (s *sealed) clear() {
	s.cache.Flush(0)
	unref(s.copies.Clear())
}

func (s *sealed) close() { unref(s.copies.Clear()) }

func (s *sealed) stats() sessioncache.Stats { return s.cache.Stats() }
