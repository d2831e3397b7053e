// Package shm keeps sealed sessions in memory that many processes share: a [sessioncache.Store] in one
// mapping.
//
// In reading order: layout.go (where everything is), header.go, words.go and entry.go (the bytes), store.go, find.go,
// put.go, room.go, age.go and plan.go (where an entry goes and what makes way), hold.go (free space), bury.go (what is dropped), flush.go,
// writer.go, lock.go and process.go (writers), workers.go and stats.go (the counters), records.go. docs/shm-format.md says the same for
// somebody with a hex dump.
package shm
