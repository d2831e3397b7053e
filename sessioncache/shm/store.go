package shm

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// Store is a store in memory that many processes share. Readers take no lock, and a
// process that dies in the middle of a write costs at most the entry that it wrote. Nobody is waited
// for longer than lockPatience, so no method looks at its context.
type Store struct {
	writer
	opened  [HeaderSize]byte // what the header was then
	records recordArea
	plans   sync.Pool // of *plan
}

// Open opens a store for this process: the mapping of the whole store,
// shared and writable, for as long as the Store is used. Call it after the last fork,
// because the counters are kept by process. A store whose bytes after the header
// are all zero is an empty one.
func Open(mapping []byte) (*Store, error) {
	var opened [HeaderSize]byte
	copy(opened[:], mapping)
	m, err := layoutOf(mapping)
	if err != nil {
		return nil, err
	}
	s := &Store{opened: opened, writer: writer{layout: m, pid: uint64(os.Getpid()), patience: lockPatience, pause: nap}}
	// A predecessor of the same pid may have died holding a lock.
	s.ticket.Store(rand.Uint32())
	s.records = s.recordsFor(s.pid)
	s.worker = s.claimWorker(s.pid, time.Now().Unix())
	s.plans.New = func() any { return newPlan(setSlots, s.units) }
	return s, nil
}

// Check reports whether the header still is what it was when the store was opened. It is
// never written again: else somebody has overwritten the file.
func (s *Store) Check() error {
	if bytes.Equal(s.mapping[:HeaderSize], s.opened[:]) {
		return nil
	}
	if _, err := readHeader(s.mapping); err != nil {
		return err
	}
	return ErrDamaged
}

// ID is what entries are bound to.
func (s *Store) ID() sessioncache.StoreID { return s.boundTo() }

// boundTo is in the header. All stores of a fleet have one, so that what was sealed for one opens in the others.
func (m *layout) boundTo() sessioncache.StoreID {
	if m.fleet {
		return sessioncache.FleetID
	}
	return m.id
}

// Window is what a store of a fleet shares with the agent, nil for others.
func (s *Store) Window() *window.Window { return s.window() }

// Count adds one to a counter of this process.
func (s *Store) Count(c sessioncache.Counter) { s.count(c) }

// AddRecord stores a record where there is none of that key.
func (s *Store) AddRecord(_ context.Context, key *sessioncache.LookupKey, sealed []byte, expires, now uint32) error {
	return s.records.add(key, sealed, expires, now)
}

// FindRecord copies a record to e, false where there is none that has not expired.
func (s *Store) FindRecord(_ context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry, now uint32) (bool, error) {
	return s.records.find(key, e, now), nil
}

// DropRecord removes the record that FindRecord found, and zeroes it.
func (s *Store) DropRecord(_ context.Context, e *sessioncache.Entry, now uint32) error {
	if e.Handle != (sessioncache.Handle{}) {
		s.records.giveUp(int(e.Handle[0]), e.Handle[1], now)
	}
	return nil
}

// TallyOf is where it is counted what a record that FindRecord has found is used for.
func (s *Store) TallyOf(e *sessioncache.Entry) *sessioncache.Tally {
	return (*sessioncache.Tally)(s.w[int(e.Handle[0])+recordTally:])
}

// EachRecord calls do for each record that has not expired. The entry is the caller's for the call.
func (s *Store) EachRecord(now uint32, do func(key *sessioncache.LookupKey, e *sessioncache.Entry)) {
	s.records.each(now, do)
}

// ExpireRecords zeroes what has expired.
func (s *Store) ExpireRecords(_ context.Context, now uint32) error {
	s.records.expire(now)
	return nil
}

// Published is the root of the records.
func (s *Store) Published() uint64 { return s.load(recordsAt) }

// RecordRoom is how many records there can be.
func (s *Store) RecordRoom() int { return s.records.count }

// Versions has other processes know what this one runs.
func (s *Store) Versions(v sessioncache.Versions) {
	s.store(s.worker+workerVersions, uint64(v.Libssl)<<32|uint64(v.ABI&0xff)<<24|uint64(v.Gosess&0xffffff))
}

// Time notes how long an operation took.
func (s *Store) Time(o sessioncache.Operation, d time.Duration) {
	at := s.worker + workerLatency + int(o)*latencySize
	s.add(at+sessioncache.BucketOf(d), 1)
	s.add(at+latencySum, uint64(d))
}
