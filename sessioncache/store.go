package sessioncache

import (
	"context"
	"time"
)

// LookupKey says which entry of a store is meant. It is a keyed hash: whoever
// reads the store cannot search it by session id.
type LookupKey [16]byte

// The bit of a lookup key that says that it is that of a route, which is no session: stores count
// and flush sessions.
const (
	RouteByte = 7
	RouteBit  = 0x80
)

func (k *LookupKey) mark(route bool) {
	k[RouteByte] &^= RouteBit
	if route {
		k[RouteByte] |= RouteBit
	}
}

// IsRoute reports whether the key is that of a route.
func (k *LookupKey) IsRoute() bool { return k[RouteByte]&RouteBit != 0 }

// StoreID is random bytes that no two stores have in common.
type StoreID [16]byte

// FleetID is that of all stores of all fleets. What holds them apart is their key files.
var FleetID = StoreID([]byte("gosess fleet v1."))

// Handle is what a store knows an entry by that it has found. It is the store's own: nobody else
// looks into it. The zero Handle stands for no entry.
type Handle [2]uint64

// Row is where a store counts for one context, beside what it counts for the worker. It is the
// store's own; the zero Row is nowhere.
type Row uint32

// Entry is what a store found under a lookup key.
type Entry struct {
	Sealed  []byte // the caller's buffer, grown where needed
	Expires uint32 // unix seconds
	Spent   bool   // for Find: nobody is expected to come back with it
	Once    bool   // for Find and Drop: of all callers that want it one has it
	Taken   bool   // of Find, where it found none of those: somebody had it, as far as the store remembers
	Handle  Handle // for Drop and Swap
}

// Foresighted is a store whose Put takes less time where it has heard of the key a while before.
type Foresighted interface {
	Expect(key *LookupKey)
}

// Store is where sealed entries live. A [Cache] trusts nobody who can write to it, so whatever it
// finds must be authenticated. A store may lose any entry at any time, and never
// holds two under one key for longer than a write takes.
//
// All methods are safe for concurrent use, and keep nothing of what they are given. A method that
// may wait for another process or machine returns an error when ctx is done: a handshake waits with
// it. An error says that the store does not know; a lookup that ends so is a miss.
// Package storetest has the tests that every Store passes.
type Store interface {
	// ID is what entries are bound to.
	ID() StoreID
	// Find copies the entry of key to e, false where there is none: then the Handle is zero. It
	// returns entries that have expired too. One that is spent makes way earlier.
	Find(ctx context.Context, key *LookupKey, e *Entry) (bool, error)
	// Put stores sealed under key, in place of what is there. It is not empty, and not larger
	// than MaxSealed.
	Put(ctx context.Context, key *LookupKey, sealed []byte, expires, now uint32) error
	// Swap stores e.Sealed under key if what is there still is what Find found for e, or
	// nothing if the Handle is zero: else it returns ErrChanged.
	Swap(ctx context.Context, key *LookupKey, e *Entry, expires, now uint32) error
	// Drop removes the entry that Find found and reports whether this call did it:
	// of several callers, just one. The cache has changed what follows the Seal of e.Sealed.
	Drop(ctx context.Context, e *Entry) (bool, error)
	// Flush drops the sessions of an owner, of all where it is nil, that end before a time,
	// all of them where it is 0, and counts them as Removals.
	Flush(ctx context.Context, owner *Tag, before uint32) error
	// Number counts the sessions of an owner.
	Number(ctx context.Context, owner *Tag) (int, error)
	// Count adds one to a counter. It does not wait.
	Count(Counter)
	// Row finds, or makes, the row of this process and a context, whose name for people is the label.
	Row(owner Tag, label string, now int64) Row
	// CountFor adds to a counter, and to that of a context.
	CountFor(row Row, c Counter, n int64)
	// Time notes how long an operation took. Callers do so for a part of them, chosen at random.
	Time(Operation, time.Duration)
	// Stats returns the counters, and what the store holds.
	Stats(ctx context.Context) (Stats, error)
}
