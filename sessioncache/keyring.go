package sessioncache

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
)

// The sealing keys of a server that runs change through its store, as its workers cannot read the key file. Two
// kinds of records say how: under the newest key the one that comes after it, and under any key that those before it are
// accepted no more. Neither is ever taken back, so an old one that somebody puts back says nothing new, and a cache
// never goes back to keys that it has had.
//
// Who can write to the store, but has no key, can keep a server from hearing of that. Who has an old key learns
// the ones after it: a key that was disclosed is to be replaced, and not followed by another one.
const (
	nextKey  = "the sealing key after this one"
	firstKey = "no sealing key before this one"

	// KeysMost is how many sealing keys a cache has at the most.
	KeysMost = 16
	// AnnouncedLife is for how long, in seconds, a store says so. A server that was started before that does not hear of it.
	AnnouncedLife = 90 * 24 * 3600
	// Heard is for how long, in seconds, a fleet does not seal under a new key: all machines have heard of it then, though their clocks differ.
	Heard = 60
)

// ofKeys is what such a record begins with. That of others begins with zeroes.
var ofKeys = Tag{1}

// ErrOtherKey is returned by [Announce] where another key was announced after one of these: the key file is not
// the one that others have.
var ErrOtherKey = errors.New("another sealing key follows one of these")

// keyring is the sealing keys of a cache at one time.
type keyring struct {
	order     []*sealingKey // newest first
	keys      []*sealingKey // in the order in which they are tried: the one that seals, then the others
	published uint64        // what the store had published when it was looked at
	turns     uint32        // when the next one of them begins to seal, unix seconds
}

func newKeyring(order []*sealingKey, published uint64, now uint32) *keyring {
	r := &keyring{order: order, published: published, turns: math.MaxUint32}
	seals := len(order) - 1
	for i := range order {
		if order[i].since <= now {
			seals = i
			break
		}
		r.turns = min(r.turns, order[i].since)
	}
	r.keys = slices.Concat([]*sealingKey{order[seals]}, order[:seals], order[seals+1:])
	return r
}

// OnKeys has a function called when the sealing keys have changed, with whether one is accepted no more. Call it before the
// cache is used.
func (c *Cache) OnKeys(changed func(fewer bool)) { c.changed = changed }

// ring returns the sealing keys at a time.
func (c *Cache) ring(now uint32) *keyring {
	r := c.rings.Load()
	if c.announced != nil && (c.announced.Published() != r.published || now >= r.turns) {
		return c.follow(now)
	}
	return r
}

// follow takes over what the store says of the sealing keys.
func (c *Cache) follow(now uint32) *keyring {
	c.following.Lock()
	defer c.following.Unlock()
	r, published := c.rings.Load(), c.announced.Published()
	if r.published == published && now < r.turns {
		return r // another thread has
	}
	w := c.works.Get().(*work)
	defer c.end(w)
	w.now, w.row = now, 0
	longer := c.append(w, r.order)
	order := c.cut(w, longer)
	next := newKeyring(order, published, now)
	c.rings.Store(next)
	if len(longer) != len(r.order) || len(order) != len(longer) || next.keys[0] != r.keys[0] {
		c.changed(len(order) != len(longer))
	}
	return next
}

// append returns the keys with those that come after the newest, before them.
func (c *Cache) append(w *work, order []*sealingKey) []*sealingKey {
	for len(order) < KeysMost {
		w.keys = order
		plain, _, err := c.findRecord(context.Background(), w, 0, nextKey)
		if err != nil {
			c.fail(0, err)
		}
		if len(plain) != KeySize {
			break
		}
		next, err := c.newKey(plain, order)
		if err != nil {
			c.fail(0, err)
		}
		if next == nil || slices.ContainsFunc(order, func(k *sealingKey) bool { return bytes.Equal(k.secret, next.secret) }) {
			break
		}
		if c.store.ID() == FleetID {
			next.since = seconds(min(int64(w.entry.Expires)-AnnouncedLife, int64(w.now)) + Heard)
		}
		c.learned(plain)
		clear(plain)
		order = slices.Insert(slices.Clone(order), 0, next)
	}
	return order
}

func (c *Cache) newKey(key []byte, order []*sealingKey) (*sealingKey, error) {
	next, err := newSealingKey(key, c.store.ID())
	if err != nil {
		return nil, err
	}
	next.sealer, err = order[0].sealer.under(next)
	return next, err
}

// cut returns the keys without those that are accepted no more.
func (c *Cache) cut(w *work, order []*sealingKey) []*sealingKey {
	w.keys = order
	for i := range len(order) - 1 {
		if plain, _, err := c.findRecord(context.Background(), w, i, firstKey); err == nil && plain != nil {
			return order[:i+1]
		}
	}
	return order
}

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

// Announce has all who use the store, and know one of the keys, which are those of a file and newest first, use these and no others.
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
