package inspect

import (
	"context"
	"errors"
	"fmt"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/tickets"
)

// Secrets are those that tickets of a period, in seconds, may be opened under now. Where servers with several timeouts share the store, those
// of the class that is kept longest seal. It needs the sealing keys, and makes none.
func (s *Store) Secrets(keys [][]byte, period, now int64) (secrets []tickets.Secret, err error) {
	cache, err := sessioncache.New(records{reader: s.reader}, keys)
	if err != nil {
		return nil, err
	}
	cache.SetClock(func() int64 { return now })
	err = s.read(func() error {
		secrets, err = tickets.Read(context.Background(), cache, tickets.Plan{Now: now, Period: period, Keep: tickets.Longest}, func([]byte) {})
		return err
	})
	if err != nil && !errors.Is(err, errRead) {
		return nil, fmt.Errorf("store %s: %w", s.Name, err)
	}
	longest := int64(0)
	for _, each := range secrets {
		if each.First && each.Begins <= now && now < each.Next {
			longest = max(longest, each.Kept)
		}
	}
	for i := range secrets {
		secrets[i].Seals = secrets[i].First && secrets[i].Kept == longest
	}
	return secrets, nil
}

var errRead = errors.New("the store is only read")

// records are those of a store that is only read. Of a store's methods nothing else is called.
type records struct {
	sessioncache.Store
	reader *shm.Reader
}

func (r records) ID() sessioncache.StoreID                                    { return r.reader.ID() }
func (records) Count(sessioncache.Counter)                                    {}
func (records) CountFor(sessioncache.Row, sessioncache.Counter, int64)        {}
func (records) ExpireRecords(context.Context, uint32) error                   { return nil }
func (records) DropRecord(context.Context, *sessioncache.Entry, uint32) error { return nil }
func (r records) RecordRoom() int                                             { return r.reader.RecordRoom() }
func (r records) Published() uint64                                           { return r.reader.Published() }
func (records) AddRecord(_ context.Context, _ *sessioncache.LookupKey, _ []byte, _, _ uint32) error {
	return errRead
}

func (r records) FindRecord(_ context.Context, key *sessioncache.LookupKey, e *sessioncache.Entry, now uint32) (bool, error) {
	return r.reader.FindRecord(key, e, now), nil
}
