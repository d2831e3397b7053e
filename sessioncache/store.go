package sessioncache

// LookupKey says which entry of a store is meant. It is a keyed hash: whoever
// reads the store cannot search it by session id.
//
// One bit says whether it is that of a route, which is no session: stores count and flush sessions.
type LookupKey [32]byte

const routeBit = 0x80 // of the last byte of what Shm has for a tag

func (k *LookupKey) mark(route bool) {
	k[wordSize-1] &^= routeBit
	if route {
		k[wordSize-1] |= routeBit
	}
}

func (k *LookupKey) isRoute() bool { return k[wordSize-1]&routeBit != 0 }

// StoreID is random bytes that no two stores have in common.
type StoreID [16]byte

// Entry is a sealed session that a store found, and where.
type Entry struct {
	Sealed  []byte // the caller's buffer, grown where needed; begins with the owner's tag
	Expires uint32 // unix seconds
	Spent   bool   // for Find: nobody is expected to come back with it

	slot int    // the store's own: which descriptor
	meta uint64 // and what it said, 0 where nothing was found
}

func (e *Entry) seal() Seal { return Seal(e.Sealed[tagSize:]) }

// Store is where sealed sessions live. It trusts nobody who can write to it, so
// whatever it finds must be authenticated. All methods are safe for concurrent use.
type Store interface {
	// ID is what entries are bound to.
	ID() StoreID
	// Put stores sealed under key, in place of what is there.
	Put(key *LookupKey, sealed []byte, expires, now uint32) error
	// Swap stores e.Sealed under key if what is there still is what Find found for e, or
	// nothing if it found nothing: else it returns ErrChanged.
	Swap(key *LookupKey, e *Entry, expires, now uint32) error
	// Find copies the entry of key to e, false where there is none. It returns
	// entries that have expired too. One that is spent makes way earlier.
	Find(key *LookupKey, e *Entry) bool
	// Drop removes the entry that Find found and reports whether this call did it:
	// of several callers, just one.
	Drop(e *Entry) bool
	// Flush drops the sessions of an owner, of all where it is nil, that end before a time,
	// all of them where it is 0.
	Flush(owner *tag, before uint32)
	// Number counts the sessions of an owner.
	Number(owner *tag) int
	// Count adds one to a counter.
	Count(Counter)
	// Stats returns the counters, and what the store holds.
	Stats() Stats
}
