package sessioncache

// LookupKey says which entry of a store is meant. It is a keyed hash: whoever
// reads the store cannot search it by session id.
type LookupKey [32]byte

// Entry is a sealed session that a store found, and where.
type Entry struct {
	Sealed  []byte // the caller's buffer, grown where needed
	Expires uint32 // unix seconds
	Spent   bool   // for Find: nobody is expected to come back with it

	slot int    // the store's own: which descriptor
	meta uint64 // and what it said
}

// Store is where sealed sessions live. It trusts nobody who can write to it, so
// whatever it finds must be authenticated. All methods are safe for concurrent use.
type Store interface {
	// Put stores sealed under key, in place of what is there.
	Put(key *LookupKey, sealed []byte, expires, now uint32) error
	// Find copies the entry of key to e, false where there is none. It returns
	// entries that have expired too. One that is spent makes way earlier.
	Find(key *LookupKey, e *Entry) bool
	// Drop removes the entry that Find found and reports whether this call did it:
	// of several callers, just one.
	Drop(e *Entry) bool
	// Flush drops the entries that end before a time, all of them where it is 0.
	Flush(before uint32)
	// Count adds one to a counter.
	Count(Counter)
	// Stats returns the counters, and what the store holds.
	Stats() Stats
}
