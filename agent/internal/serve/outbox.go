package serve

import (
	"slices"
	"sync"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// An outbox has what the far store is to be told, in order. It is bounded: where the far store has been away for long the oldest
// stored sessions make way, which costs a full handshake each on other machines, and removals stay for as long as there is room for them.
type outbox struct {
	mu       sync.Mutex
	items    []window.Item
	sending  int           // of them, from the first, are being delivered
	held     []window.Item // older ones, which nobody may be told now, and all that came after one of the same key
	holds    map[sessioncache.LookupKey]int
	stored   map[sessioncache.LookupKey]int
	removed  map[sessioncache.LookupKey]int
	told     told
	lost     uint64        // items for which there was no room
	settled  chan struct{} // closed when a delivery has ended
	wakening chan struct{}
}

// mostItems is some 3 MB. Of removals alone there is room for mostRemovals.
const (
	mostItems    = 1 << 16
	mostRemovals = mostItems * 7 / 8
)

func newOutbox() *outbox {
	return &outbox{stored: map[sessioncache.LookupKey]int{}, removed: map[sessioncache.LookupKey]int{}, holds: map[sessioncache.LookupKey]int{},
		told: newTold(), settled: make(chan struct{}), wakening: make(chan struct{}, 1)}
}

// wake has the goroutine that delivers look again.
func (o *outbox) wake() {
	select {
	case o.wakening <- struct{}{}:
	default:
	}
}

// add appends news.
func (o *outbox) add(items []window.Item) {
	if len(items) == 0 {
		return
	}
	o.mu.Lock()
	for i := range items {
		o.note(&items[i], 1)
	}
	o.items = append(o.items, items...)
	o.makeRoom()
	o.mu.Unlock()
	o.wake()
}

// note counts what there is of a key.
func (o *outbox) note(item *window.Item, n int) {
	of := o.stored
	switch item.Kind {
	case window.Removed:
		of = o.removed
	case window.Stored:
	default:
		return
	}
	if of[item.Key] += n; of[item.Key] == 0 {
		delete(of, item.Key)
	}
}

// makeRoom makes room where there is none: what has ended goes first, then what was stored, and then of everything the oldest. It frees much at once, as each time it
// looks at all.
func (o *outbox) makeRoom() {
	if o.count() <= mostItems {
		return
	}
	o.drop(0, hasEnded)
	if o.count() <= mostItems*7/8 {
		return
	}
	o.lost += o.drop(mostItems/2, func(item *window.Item) bool { return item.Kind == window.Stored })
	if o.count() > mostRemovals {
		o.lost += o.drop(mostRemovals*7/8, func(*window.Item) bool { return true })
	}
}

// hasEnded reports whether what an item is about has ended, by the clock of any machine: nobody needs to hear of it.
func hasEnded(item *window.Item) bool {
	return item.Kind != window.Flushed && item.Expires != 0 && int64(item.Expires)+sessioncache.Heard < time.Now().Unix()
}

// count is how many there are, with the lock.
func (o *outbox) count() int { return len(o.held) + len(o.items) }

// drop drops the oldest of some items until no more than so many are left, and returns how many were dropped.
func (o *outbox) drop(left int, which func(*window.Item) bool) (dropped uint64) {
	excess := o.count() - left
	goes := func(item window.Item) bool {
		if excess <= 0 || !which(&item) {
			return false
		}
		o.note(&item, -1)
		dropped++
		excess--
		return true
	}
	o.held = slices.DeleteFunc(o.held, func(item window.Item) bool {
		gone := goes(item)
		if gone {
			o.unhold(item.Key)
		}
		return gone
	})
	o.items = append(o.items[:o.sending], slices.DeleteFunc(o.items[o.sending:], goes)...)
	return dropped
}

// next copies what is to be delivered now to dst, until its capacity is full: what may be told, and of one key in order. It stays in the
// outbox until done. What may not be told is held back, and is not looked at again until it is released.
func (o *outbox) next(dst []window.Item, may func(*window.Item) bool) []window.Item {
	o.mu.Lock()
	defer o.mu.Unlock()
	dst = dst[:0]
	seen := 0
	for ; seen < len(o.items) && len(dst) < cap(dst); seen++ {
		item := o.items[seen]
		if o.holds[item.Key] > 0 || !may(&item) {
			o.held = append(o.held, item)
			o.holds[item.Key]++
			continue
		}
		dst = append(dst, item)
	}
	o.items = o.items[seen-len(dst):]
	copy(o.items, dst)
	o.sending = len(dst)
	return dst
}

func (o *outbox) unhold(key sessioncache.LookupKey) {
	if o.holds[key]--; o.holds[key] == 0 {
		delete(o.holds, key)
	}
}

// release has what was held back told, if it may be now.
func (o *outbox) release() {
	o.mu.Lock()
	if len(o.held) > 0 {
		o.items = slices.Concat(o.items[:o.sending], o.held, o.items[o.sending:])
		o.held = nil
		clear(o.holds)
	}
	o.mu.Unlock()
	o.wake()
}

// done ends a delivery. Again are those of its items that are to be delivered once more, before all others.
func (o *outbox) done(again []window.Item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.items[:o.sending] {
		o.note(&o.items[i], -1)
		if o.items[i].Kind == window.Stored {
			o.told.add(o.items[i].Key)
		}
	}
	for i := range again {
		o.note(&again[i], 1)
	}
	rest := o.items[o.sending-len(again):]
	copy(rest, again)
	o.sending = 0
	if len(rest) == 0 {
		o.items = o.items[:0]
		if cap(o.items) > 4096 {
			o.items = nil // after a fault
		}
	} else {
		o.items = rest
	}
	close(o.settled)
	o.settled = make(chan struct{})
}

func (o *outbox) length() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count()
}

// isRemoved reports whether a removal waits to be delivered. What is stored under that key later is near.
func (o *outbox) isRemoved(key sessioncache.LookupKey) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.removed[key] > 0
}

// isStored reports whether something that was stored waits to be delivered.
func (o *outbox) isStored(key sessioncache.LookupKey) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stored[key] > 0
}

// await waits until nothing that was stored under a key waits to be delivered, and reports whether that is so.
func (o *outbox) await(key sessioncache.LookupKey, patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		o.mu.Lock()
		waits, settled := o.stored[key] > 0, o.settled
		o.mu.Unlock()
		if !waits {
			return true
		}
		select {
		case <-settled:
		case <-timer.C:
			return false
		}
	}
}

// takeLost returns how much was lost since it was called last.
func (o *outbox) takeLost() (n uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, o.lost = o.lost, 0
	return n
}

// The goroutine that follows the log of the fleet calls beginRead before it reads, and endRead when it has read to its end.
func (o *outbox) beginRead() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told.begin()
}

func (o *outbox) endRead() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told.end()
}

// forgetStored reports whether the far store may have a session from this machine, told by now or about to be, that was removed elsewhere, and forgets
// that it has.
func (o *outbox) forgetStored(key sessioncache.LookupKey) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.told.take(key) || o.stored[key] > 0
}
