package sessioncache

import (
	"bytes"
	"context"
	"slices"
)

// OnKeys has a function called when the sealing keys have changed, with whether one is accepted no more. Call it before the
// cache is used.
func (c *Cache) OnKeys(changed func(fewer bool)) { c.changed = changed }

func (c *Cache) begin() *work {
	w := c.works.Get().(*work)
	w.now, w.row, w.why = seconds(c.now()), 0, MissedAbsent
	w.keys = c.ring(w.now).keys
	return w
}

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
	next.sealer, err = order[0].sealer.under(&next.derivation)
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
