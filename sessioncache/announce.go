package sessioncache

import (
	"bytes"
	"context"
	"slices"
)

// Renewed returns what has become of the keys of a file, newest first: with those that were announced in the store since, and
// without those that it says are accepted no more.
func Renewed(store Store, keys [][]byte) ([][]byte, error) {
	c, err := New(store, keys)
	if err != nil {
		return nil, err
	}
	if c.announced == nil {
		return nil, ErrNoRecords
	}
	all := slices.Clone(keys)
	c.learned = func(key []byte) { all = slices.Insert(all, 0, bytes.Clone(key)) }
	return all[:len(c.ring(seconds(c.now())).order)], nil
}

// Announce has all processes that use the store, and know one of the keys, which are those of a file and newest first, use these and no others.
func Announce(ctx context.Context, store Store, news News, keys [][]byte) error {
	for i := len(keys) - 1; i > 0; i-- {
		if err := announce(ctx, store, news, keys[i], nextKey, keys[i-1]); err != nil {
			return err
		}
	}
	return announce(ctx, store, news, keys[len(keys)-1], firstKey, []byte{1})
}

func announce(ctx context.Context, store Store, news News, under []byte, name string, value []byte) error {
	c, err := New(store, [][]byte{under})
	if err != nil {
		return err
	}
	c.announced = nil // it seals under this one, whatever follows
	if news != nil {
		c.Tell(news)
	}
	err = c.addRecord(ctx, ofKeys, name, value, c.now()+AnnouncedLife)
	if err != ErrExists {
		return err
	}
	there, err := c.Record(ctx, name)
	if err == nil && len(there) > 0 && !bytes.Equal(there[0].Value, value) {
		return ErrOtherKey
	}
	return err
}
