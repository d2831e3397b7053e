// Package shm keeps sealed sessions in memory that many processes share: a [sessioncache.Store] in one
// mapping.
//
// In reading order: layout.go (where everything is), header.go and words.go (the bytes), store.go, find.go,
// put.go and space.go (where an entry goes and what makes way), bury.go (what is dropped), flush.go, lock.go
// and process.go (writers), workers.go and stats.go (the counters), and
// apart from all that records.go. docs/shm-format.md says the same for somebody with a hex dump.
package shm
