package live

import (
	"strings"
	"sync"
	"sync/atomic"

	"gosess/sessioncache"
)

// Memory keeps the live sessions of one context, as libssl's internal cache does. It
// never looks at an expiry unless it is told to flush: libssl judges what it gets, and
// counts it (L34). All methods are safe for concurrent use. One that is not used any more
// must be flushed of everything, else its sessions stay in the budget.
type Memory struct {
	budget *Budget
	ref    func(Object)
	shards atomic.Pointer[[shardCount]shard] // made by the first Put: many contexts never see one

	// The thread that takes an entry out of its shard has it; the queue follows. Locked before a
	// shard, never while one is locked. Protects the queue and what it orders by.
	mu     sync.Mutex
	queues [2]queue // the second has the large sessions
	puts   uint64
}

// NewMemory makes an empty Memory. ref adds a reference to an object that Get returns.
func NewMemory(budget *Budget, ref func(Object)) *Memory {
	return &Memory{budget: budget, ref: ref}
}

// Put keeps a session, and takes over the caller's reference where it reports that it was
// added. It was not where this very object is kept already, whose expiry it then notes, or
// is larger than what it may take of the budget, or the Go heap has no room (ReserveHeap). To have no
// more than limit sessions (any number where it
// is not positive), and no more bytes than the budget, those that expire first make way,
// among equals the oldest; for a large one the large ones, where they have their part.
func (m *Memory) Put(s Session, limit int) (added bool, leaving []Leaving) {
	e := &entry{
		id: string(s.ID), asked: s.Asked, object: s.Object,
		size:  int64(s.Size) + int64(len(s.ServerName)) + entryOverhead,
		large: s.Size > largeObject,
	}
	e.asked.ServerName = strings.Clone(s.ServerName)
	n := shardOf(s.ID)
	if e.size > m.budget.most(e.large) {
		m.budget.count(n, sessioncache.TooBig)
		return false, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.len() == 0 && heapFull() { // other contexts hold it all
		m.budget.count(n, sessioncache.TooBig)
		return false, nil
	}
	shards := m.shards.Load()
	if shards == nil {
		shards = new([shardCount]shard)
		m.shards.Store(shards)
		heap.taken.Add(memoryHeap)
	}
	m.puts++
	e.due = due{s.Expires, m.puts}
	switch old := shards[n].put(e); {
	case old == nil:
	case old.object == e.object:
		if old.due.expires != s.Expires {
			m.queueOf(old).move(old, e.due)
		}
		return false, nil
	default:
		m.forget(old)
		leaving = append(leaving, Leaving{old.object, Replaced})
	}
	m.budget.take(e, e.size)
	heap.taken.Add(e.heap())
	leaving = append(leaving, m.makeRoom(shards, e, limit)...)
	m.queueOf(e).add(e)
	m.budget.kept.Add(1)
	m.budget.count(n, sessioncache.Stores)
	return true, leaving
}

// makeRoom removes, with the lock, what makes way for an entry that has been taken from the budget.
func (m *Memory) makeRoom(shards *[shardCount]shard, e *entry, limit int) (leaving []Leaving) {
	for {
		var first *entry
		if e.large && m.budget.over(true) {
			first = m.queueOf(e).first()
		}
		if first == nil && (limit > 0 && m.len() >= limit || m.budget.over(false) || heapFull()) {
			first = m.first()
		}
		if first == nil {
			return leaving // there is room, or other contexts hold the rest
		}
		if m.removeFirst(shards, first, sessioncache.Evictions) {
			leaving = append(leaving, Leaving{first.object, Evicted})
		}
	}
}

func (m *Memory) queueOf(e *entry) *queue {
	if e.large {
		return &m.queues[1]
	}
	return &m.queues[0]
}

// first is the session that expires first, nil where there is none.
func (m *Memory) first() *entry {
	small, large := m.queues[0].first(), m.queues[1].first()
	if small == nil || large != nil && large.due.before(&small.due) {
		return large
	}
	return small
}

func (m *Memory) len() int { return len(m.queues[0]) + len(m.queues[1]) }

// removeFirst removes the first of a queue, with the lock. False where somebody
// else is removing it.
func (m *Memory) removeFirst(shards *[shardCount]shard, e *entry, reason sessioncache.Counter) bool {
	n := shardOf([]byte(e.id))
	if !shards[n].remove(e) {
		m.queueOf(e).remove(e)
		return false
	}
	m.forget(e)
	m.budget.count(n, reason)
	return true
}

// forget takes out of the books, with the lock, what this caller has removed from its
// shard.
func (m *Memory) forget(e *entry) {
	m.queueOf(e).remove(e)
	m.budget.kept.Add(-1)
	m.budget.take(e, -e.size)
	heap.taken.Add(-e.heap())
}

// Get returns the session of an id, with a reference for the caller. False is a miss:
// there is none, or it was made under another server name.
func (m *Memory) Get(id []byte, asked Asked) (Object, bool) {
	n := shardOf(id)
	if shards := m.shards.Load(); shards != nil {
		if object, ok := shards[n].get(id, &asked, m.ref); ok {
			m.budget.count(n, sessioncache.Hits)
			return object, true
		}
	}
	m.budget.count(n, sessioncache.Misses)
	return 0, false
}

// Take is Get for a session that may be used once: it is not kept any longer, and its
// reference is the caller's.
func (m *Memory) Take(id []byte, asked Asked) (Object, bool) {
	e := m.remove(id, func(e *entry) bool { return e.asked.fits(&asked) })
	if e == nil {
		m.budget.count(shardOf(id), sessioncache.Misses)
		return 0, false
	}
	m.budget.count(shardOf(id), sessioncache.Hits)
	return e.object, true
}

// Remove stops keeping the session of an id, if same says that it is the one to be
// removed: a client can choose the id that a removal comes with (L15). Its reference is
// the caller's. A lock is held while same runs.
func (m *Memory) Remove(id []byte, same func(Object) bool) (Object, bool) {
	e := m.remove(id, func(e *entry) bool { return same(e.object) })
	if e == nil {
		return 0, false
	}
	m.budget.count(shardOf(id), sessioncache.Removals)
	return e.object, true
}

func (m *Memory) remove(id []byte, same func(*entry) bool) *entry {
	shards := m.shards.Load()
	if shards == nil {
		return nil
	}
	e := shards[shardOf(id)].removeID(id, same)
	if e != nil {
		m.mu.Lock()
		m.forget(e)
		m.mu.Unlock()
	}
	return e
}

// Flush stops keeping the sessions whose time was over before now, all of them where now
// is 0, and returns them, with their references, in the order in which they expire, among
// equals the oldest first.
func (m *Memory) Flush(now int64) (flushed []Object) {
	reason := sessioncache.Expiries
	if now == 0 {
		reason = sessioncache.Removals
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	shards := m.shards.Load()
	for e := m.first(); e != nil && (now == 0 || now > e.due.expires); e = m.first() { // L32: strictly
		if m.removeFirst(shards, e, reason) {
			flushed = append(flushed, e.object)
		}
	}
	if now == 0 && shards != nil { // nor does it keep what it had them in
		m.shards.Store(nil)
		heap.taken.Add(-memoryHeap)
	}
	return flushed
}

// Len returns how many sessions are kept.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.len()
}
