//go:build amd64 || arm64

package shm

// fetch has the line of a word fetched into the caches, and does not wait for it, where a load would hold up all that comes
// after it. It reads nothing.
//
//go:noescape
func fetch(word *uint64)
