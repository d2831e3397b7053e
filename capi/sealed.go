package main

// #include "glue.h"
import "C"

import (
	"time"

	"gosess/sessioncache"
)

// sealed is a store that keeps sessions as sealed bytes, which processes share.
type sealed struct {
	cache *sessioncache.Cache
}

func (s *sealed) put(session *C.SSL_SESSION, record *C.struct_gosess_record) bool {
	var length C.int
	der := C.gosess_encode(session, &length)
	if der == nil {
		return false
	}
	defer C.gosess_free_der(der, length)
	// What cannot be stored is counted by the cache; the handshake goes on.
	return s.cache.Put(originOf(record), sessioncache.Session{
		ID:      bytesOf(record.id, C.int(record.id_length)),
		DER:     bytesOf(der, length),
		Expires: int64(record.expires),
	}) == nil
}

func (s *sealed) get(lookup *C.struct_gosess_lookup) *C.SSL_SESSION {
	find := s.cache.Get
	if lookup.take {
		find = s.cache.Take
	}
	buffer := buffers.Get().(*[]byte)
	defer wipe(buffer)
	der, expires, ok := find(wanted(lookup), bytesOf(lookup.id, lookup.id_length), (*buffer)[:0])
	*buffer = der
	if !ok {
		return nil
	}
	return decode(der, lookup, expires)
}

func (s *sealed) remove(session *C.SSL_SESSION, record *C.struct_gosess_record) {
	id := bytesOf(record.id, C.int(record.id_length))
	if s.cache.Remove(originOf(record).Context, id, func(der []byte) bool {
		return sameStored(session, der)
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

func (s *sealed) clear() { s.cache.Flush(0) }

func (s *sealed) stats() sessioncache.Stats { return s.cache.Stats() }
