package storetest_test

import (
	"bytes"
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/storetest"
)

// mapStore is the simplest store that there can be: a map, under one lock, in which nothing makes way.
type mapStore struct {
	mu      sync.Mutex // protects all that follows
	entries map[sessioncache.LookupKey]mapEntry
	puts    uint64
	counts  sessioncache.Counters
}

type mapEntry struct {
	sealed  []byte
	expires uint32
	put     uint64
}

func newMapStore() *mapStore {
	return &mapStore{entries: map[sessioncache.LookupKey]mapEntry{}}
}

// handle is the number of the put, from 1.
func (e *mapEntry) handle() sessioncache.Handle { return sessioncache.Handle{e.put} }

func (s *mapStore) ID() sessioncache.StoreID { return sessioncache.StoreID{'m', 'a', 'p'} }

func (s *mapStore) Find(_ context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.entries[*key]
	e.Handle = sessioncache.Handle{}
	if ok {
		e.Sealed = append(e.Sealed[:0], found.sealed...)
		e.Expires, e.Handle = found.expires, found.handle()
	}
	return ok, nil
}

func (s *mapStore) put(key *sessioncache.LookupKey, sealed []byte, expires uint32) {
	s.puts++
	s.entries[*key] = mapEntry{bytes.Clone(sealed), expires, s.puts}
}

func (s *mapStore) Put(_ context.Context, key *sessioncache.LookupKey, sealed []byte, expires, _ uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(key, sealed, expires)
	return nil
}

func (s *mapStore) Swap(_ context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry, expires, _ uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var is sessioncache.Handle
	if found, ok := s.entries[*key]; ok {
		is = found.handle()
	}
	if is != e.Handle {
		return sessioncache.ErrChanged
	}
	s.put(key, e.Sealed, expires)
	return nil
}

func (s *mapStore) Drop(_ context.Context, e *sessioncache.Entry) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, found := range s.entries {
		if found.handle() == e.Handle {
			delete(s.entries, key)
			return true, nil
		}
	}
	return false, nil
}

// each calls do for the sessions of an owner, of all where it is nil.
func (s *mapStore) each(owner *sessioncache.Tag, do func(key sessioncache.LookupKey, e mapEntry)) {
	for key, e := range s.entries {
		if !key.IsRoute() && (owner == nil || sessioncache.OwnerOf(e.sealed) == *owner) {
			do(key, e)
		}
	}
}

func (s *mapStore) Flush(_ context.Context, owner *sessioncache.Tag, before uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each(owner, func(key sessioncache.LookupKey, e mapEntry) {
		if before == 0 || e.expires < before {
			delete(s.entries, key)
			s.counts[sessioncache.Removals]++
		}
	})
	return nil
}

func (s *mapStore) Number(_ context.Context, owner *sessioncache.Tag) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each(owner, func(sessioncache.LookupKey, mapEntry) { n++ })
	return n, nil
}

func (s *mapStore) Count(c sessioncache.Counter) { s.CountFor(0, c, 1) }

func (s *mapStore) Row(sessioncache.Tag, string, int64) sessioncache.Row { return 0 }

func (s *mapStore) CountFor(_ sessioncache.Row, c sessioncache.Counter, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[c] += uint64(n)
}

func (s *mapStore) Time(sessioncache.Operation, time.Duration) {}

func (s *mapStore) Stats(context.Context) (sessioncache.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const size = 1 << 30 // whatever it is asked for
	st := sessioncache.Stats{
		Total: s.counts, Capacity: size, Size: size, Created: storetest.Now,
		Workers: []sessioncache.Worker{{PID: os.Getpid(), Started: storetest.Now, Live: true, Counters: s.counts}},
	}
	s.each(nil, func(_ sessioncache.LookupKey, e mapEntry) {
		st.Entries++
		st.Used += uint64(len(e.sealed))
	})
	return st, nil
}

func TestMap(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Open {
		s := newMapStore()
		return func(testing.TB) sessioncache.Store { return s }
	})
}
