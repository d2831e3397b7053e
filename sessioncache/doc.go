// Package sessioncache keeps TLS sessions for many processes at once.
//
// A [Session] is an id, its DER bytes and an expiry. A [Store] is where sealed
// sessions live: package shm has the one in memory that the workers of a machine share, and package
// storetest what every other one has to pass too. A [Cache] is the rules over a store: which handshake may
// have a session, when it has expired, what is counted. Nothing here knows OpenSSL or C.
//
// In reading order: session.go, cache.go (the rules), flush.go, route.go (what server names lead to), record.go
// (what no session pushes out), store.go (what a store is), counters.go and stats.go (what is counted), then what
// a store gets to see: seal.go, sealer.go, work.go, mac.go (keyed hashes), keys.go, keyring.go and follow.go (how the keys change).
//
// Package live is apart from all that: it keeps the objects of libssl themselves, in one process, and nobody
// seals those. Package tickets makes the secrets that session tickets are sealed under.
package sessioncache
