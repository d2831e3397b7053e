package sessioncache

import (
	"cmp"
	"container/heap"
	"sync"
)

// A power of two: threads that look up different sessions should seldom meet.
const shardCount = 16

// entryOverhead is what keeping a session takes beside the object and the server name:
// the entry, its id, its places in the map and in the queue.
const entryOverhead = 192

// entry is a session that a shard keeps.
type entry struct {
	id         string
	serverName string
	expires    int64
	put        uint64 // counts the puts of the Memory: the older, the smaller
	size       int64
	object     Object
	at         int // in the queue
}

// due is when it is an entry's turn to leave.
type due struct {
	expires int64
	put     uint64
}

func (e *entry) due() due { return due{e.expires, e.put} }

func (d due) compare(other due) int {
	return cmp.Or(cmp.Compare(d.expires, other.expires), cmp.Compare(d.put, other.put))
}

func (d due) before(other due) bool { return d.compare(other) < 0 }

// shard keeps the sessions of some of the ids. Its lock protects all of it, and what is
// known of an object: as long as the lock is held, no object leaves.
type shard struct {
	mu    sync.RWMutex
	byID  map[string]*entry
	queue queue
	_     [128 - 56]byte // what one thread locks shares no cache line with the next shard
}

// get returns a session with a reference for the caller, added while nobody can take the
// shard's own away.
func (sh *shard) get(id []byte, serverName string, ref func(Object)) (Object, bool) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	e := sh.byID[string(id)]
	if e == nil || !sameName(e.serverName, serverName) {
		return 0, false
	}
	ref(e.object)
	return e.object, true
}

// replace removes what is kept under the id of s. Where that is the same object it stays,
// with the expiry of s.
func (sh *shard) replace(s Live, put uint64) (old *entry, same bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.byID[string(s.ID)]
	if e == nil {
		return nil, false
	}
	if e.object != s.Object {
		sh.remove(e)
		return e, false
	}
	if e.expires != s.Expires {
		e.expires, e.put = s.Expires, put
		heap.Fix(&sh.queue, e.at)
	}
	return e, true
}

func (sh *shard) add(e *entry) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byID == nil {
		sh.byID = map[string]*entry{}
	}
	sh.byID[e.id] = e
	heap.Push(&sh.queue, e)
}

// remove needs the lock.
func (sh *shard) remove(e *entry) {
	delete(sh.byID, e.id)
	heap.Remove(&sh.queue, e.at)
}

// removeID removes the session of an id, if same says so of it.
func (sh *shard) removeID(id []byte, same func(*entry) bool) *entry {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.byID[string(id)]
	if e == nil || !same(e) {
		return nil
	}
	sh.remove(e)
	return e
}

// first returns whose turn to leave is the next.
func (sh *shard) first() (d due, ok bool) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if len(sh.queue) == 0 {
		return due{}, false
	}
	return sh.queue[0].due(), true
}

// removeDue removes the first in the queue, if it is still d.
func (sh *shard) removeDue(d due) *entry {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if len(sh.queue) == 0 || sh.queue[0].due() != d {
		return nil
	}
	e := sh.queue[0]
	sh.remove(e)
	return e
}

// removeExpired removes the sessions whose time was over before now.
func (sh *shard) removeExpired(now int64) (expired []*entry) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for len(sh.queue) > 0 && now > sh.queue[0].expires { // L32: strictly
		expired = append(expired, sh.queue[0])
		sh.remove(sh.queue[0])
	}
	return expired
}

func (sh *shard) removeAll() []*entry {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	all := sh.queue
	sh.byID, sh.queue = nil, nil
	return all
}

// sameName compares server names, whose letters have no case (RFC 6066, section 3).
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// queue is a heap, the next to leave first. It implements [heap.Interface].
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due().before(q[j].due()) }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

func (q *queue) Push(x any) {
	e := x.(*entry)
	e.at = len(*q)
	*q = append(*q, e)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
