package live

import (
	"hash/maphash"
	"sync"
)

// Threads that look up different sessions should seldom meet in a shard.
const shardCount = 16

var shardSeed = maphash.MakeSeed()

func shardOf(id []byte) int { return int(maphash.Bytes(shardSeed, id) % shardCount) }

// shard has the sessions of some of the ids.
type shard struct {
	mu   sync.RWMutex // while it is held no object leaves
	byID map[string]*entry
	_    [128 - 32]byte // what one thread locks shares no cache line with the next shard
}

// get returns a session with a reference for the caller, added while nobody can take the
// shard's own away.
func (sh *shard) get(id []byte, asked *Asked, ref func(Object)) (Object, bool) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	e := sh.byID[string(id)]
	if e == nil || !e.asked.fits(asked) {
		return 0, false
	}
	ref(e.object)
	return e.object, true
}

// put puts an entry in place of the one with its id, which it returns. One with the same
// object stays.
func (sh *shard) put(e *entry) (old *entry) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byID == nil {
		sh.byID = map[string]*entry{}
	}
	old = sh.byID[e.id]
	if old == nil || old.object != e.object {
		sh.byID[e.id] = e
	}
	return old
}

// remove removes an entry, and reports whether this call did.
func (sh *shard) remove(e *entry) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byID[e.id] != e {
		return false
	}
	delete(sh.byID, e.id)
	return true
}

// removeID removes the entry of an id, if same says so of it.
func (sh *shard) removeID(id []byte, same func(*entry) bool) *entry {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.byID[string(id)]
	if e == nil || !same(e) {
		return nil
	}
	delete(sh.byID, e.id)
	return e
}
