package inspect

import (
	"context"
	"fmt"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// RenewedKeys returns what has become of sealing keys, newest first, as the store says: see sessioncache.Renewed.
func (s *Store) RenewedKeys(keys [][]byte) (renewed [][]byte, err error) {
	err = s.read(func() error {
		renewed, err = sessioncache.Renewed(records{reader: s.reader}, keys)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", s.Name, err)
	}
	return renewed, nil
}

// AnnounceKeys has the servers that use the store, and know one of the keys, use these and no others: those of a file, newest first. In
// a fleet all machines hear of it. The store was opened to change it.
func (s *Store) AnnounceKeys(keys [][]byte) error {
	err := s.read(func() error {
		writer, err := shm.Open(s.mapping)
		if err != nil {
			return err
		}
		defer writer.Leave()
		var news sessioncache.News
		if far := writer.Window(); far != nil {
			news = far
		}
		return sessioncache.Announce(context.Background(), writer, news, keys)
	})
	if err != nil {
		return fmt.Errorf("store %s: %w", s.Name, err)
	}
	return nil
}
