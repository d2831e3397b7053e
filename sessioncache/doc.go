// Package sessioncache keeps TLS sessions for many processes at once.
//
// A [Session] is an id, its DER bytes and an expiry. A [Store] is where sealed
// sessions live; [Shm] is the one in memory shared by the workers of a machine. A
// [Cache] is the rules over a store: who may have a session, when it has expired,
// what is counted. Nothing here knows OpenSSL or C.
//
// In reading order: cache.go (the rules), seal.go (what a store gets to see),
// store.go (what a store is), shm.go (the shared store: find and drop), put.go, space.go
// (where an entry goes and what makes way), lock.go (writers), worker.go (the
// counters), header.go and words.go (the bytes). docs/shm-format.md says the
// same for somebody with a hex dump.
//
// A [Memory] is apart from that: the live sessions of one context in one process, which
// nobody seals. In reading order: memory.go (its rules), memory_shard.go (where they are
// found), memory_queue.go (the order in which they end), memory_budget.go (their size).
package sessioncache
