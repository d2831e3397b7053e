// Package live keeps sessions as the objects of libssl that they are, in one process, as libssl's
// internal cache does.
//
// A [Memory] has those of one context; all that share a [Budget] keep within it together. In reading
// order: session.go (what a session is, and who may have it), memory.go (the rules), shard.go (where
// they are found), queue.go (the order in which they end), budget.go (their size), heap.go and reserve.go (what they
// take of the Go heap).
//
// [Copies] are objects of sessions that lie sealed in a store.
package live
