package sessioncache

import (
	"errors"
	"math"
	"slices"
)

// The sealing keys of a server that runs change through its store, as its workers cannot read the key file. Two
// kinds of records say how: under the newest key the one that comes after it, and under any key that those before it are
// accepted no more. Neither is ever taken back, so an old one that somebody puts back says nothing new, and a cache
// never goes back to keys that it has had.
//
// A process that can write to the store, but has no key, can keep a server from hearing of that. One with an old key learns
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
