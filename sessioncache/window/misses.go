package window

import (
	"encoding/binary"
	"time"

	"gosess/sessioncache"
)

// What the far store does not have is noted for a while, so that a client that offers it again and again costs no
// way over the network. A note is 40 bits of the key, and in seconds of CLOCK_MONOTONIC, modulo 2^24, until
// when it holds. It lies where other bits of the key say, in place of what was there.
const (
	missTimeBits = 24
	missTimes    = 1<<missTimeBits - 1
	// LongestMiss is for how long such a note holds at most.
	LongestMiss = 60 * time.Second
)

func missAt(key *sessioncache.LookupKey) (at int, note uint64) {
	le := binary.LittleEndian
	return MissesAt + int(le.Uint16(key[8:])%Misses)*8, le.Uint64(key[8:]) >> missTimeBits << missTimeBits
}

// NoteMiss notes that the far store does not have a session.
func (w *Window) NoteMiss(key *sessioncache.LookupKey, life time.Duration) {
	at, note := missAt(key)
	until := uint64(Now()+int64(min(life, LongestMiss))) / uint64(time.Second)
	w.u64(at).Store(note | until&missTimes)
}

// ForgetMiss takes such a note back.
func (w *Window) ForgetMiss(key *sessioncache.LookupKey) {
	at, note := missAt(key)
	if noted := w.u64(at).Load(); noted&^missTimes == note {
		w.u64(at).CompareAndSwap(noted, 0)
	}
}

// IsMiss reports whether it was noted, and still holds.
func (w *Window) IsMiss(key *sessioncache.LookupKey) bool {
	at, note := missAt(key)
	noted := w.u64(at).Load()
	left := (noted - uint64(Now())/uint64(time.Second)) & missTimes
	return noted&^missTimes == note && left > 0 && left <= uint64(LongestMiss/time.Second)
}
