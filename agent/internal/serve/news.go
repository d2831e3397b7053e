package serve

import (
	"errors"
	"slices"
	"sync"
	"time"

	"gosess/agent/internal/far"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

const (
	// newsEvery is how often the agent looks for news while there is some: a worker that had to wake it would pay for it. Where it is
	// pushed, it is to be ahead of the client.
	newsEvery = 5 * time.Millisecond
	pushEvery = 2 * time.Millisecond
	// quietAfter is after how many looks for nothing it sleeps until it is woken.
	quietAfter = 20
	// idleFor is for how long it sleeps at most. Whoever has news wakes it, and the agent looks by itself besides, each tick.
	idleFor = time.Minute
)

// news is what the workers of the machine have done, on its way to the far store.
type news struct {
	*machine
	drain   sync.Mutex // one goroutine at a time reads
	drained []window.Item
}

func newNews(m *machine) *news { return &news{machine: m, drained: make([]window.Item, 0, 512)} }

// listen reads news into the outbox, until the agent is stopped.
func (n *news) listen() {
	every, quietAfter := newsEvery, quietAfter
	if n.pushes {
		every, quietAfter = pushEvery, quietAfter*int(newsEvery/pushEvery)
	}
	for quiet := 0; !n.stopping.Load(); {
		if n.read() > 0 {
			quiet = 0
		} else {
			quiet++
		}
		if quiet < quietAfter {
			if !n.sleep(every) {
				return
			}
			continue
		}
		n.window.AwaitNews(idleFor)
		quiet = quietAfter - 1
	}
}

// read reads what there is now, and returns how much that is.
func (n *news) read() (all int) {
	n.drain.Lock()
	defer n.drain.Unlock()
	for {
		again := n.window.ReadsAgain()
		n.drained = n.window.Drain(n.drained[:0])
		if len(n.drained) == 0 {
			return all
		}
		all += len(n.drained)
		items := n.drained
		if again { // a session that was stored may have been taken by another machine since then
			items = slices.DeleteFunc(items, func(i window.Item) bool { return i.Kind == window.Stored })
		}
		n.outbox.add(items)
	}
}

// delivered tells the next agent to begin with what comes now, if all before that is delivered.
func (n *news) delivered() {
	n.drain.Lock()
	defer n.drain.Unlock()
	if n.outbox.length() == 0 {
		n.window.Delivered()
	}
}

const (
	// mostAtOnce is how much is delivered in one pipeline.
	mostAtOnce = far.MaxKeys
	// refusedFor is how long is waited for a store that refuses something.
	refusedFor = 500 * time.Millisecond
)

// deliver delivers what is in the outbox, until the agent is stopped.
func (n *news) deliver() {
	items := make([]window.Item, 0, mostAtOnce)
	for {
		if n.up.Load() {
			items = n.outbox.next(items, n.mayTell)
		} else {
			items = items[:0]
		}
		if len(items) == 0 {
			select {
			case <-n.stop:
				return
			case <-n.outbox.wakening:
			}
			continue
		}
		again, refused := n.send(items)
		n.outbox.done(again)
		n.delivered()
		if lost := n.outbox.takeLost(); lost > 0 {
			n.log.Failure("outbox", "there was no room for %d sessions while the far store was away; other machines do not have them", lost)
		}
		if refused && !n.sleep(refusedFor) {
			return
		}
	}
}

// mayTell reports whether the shards that are told of an item answer.
func (n *news) mayTell(item *window.Item) bool {
	if item.Kind != window.Stored && n.isBad(n.far.Shard(nil)) {
		return false
	}
	return item.Kind == window.Flushed || !n.isBad(n.far.Shard((*far.Key)(&item.Key)))
}

// send tells the far store of items, and returns those that are to be told again. Refused says that it did not want to hear.
func (n *news) send(items []window.Item) (again []window.Item, refused bool) {
	ops, of := make([]far.Op, 0, len(items)), make([]int, 0, len(items))
	var removal far.Event
	failed := make([]error, len(items))
	for i := range items {
		item := &items[i]
		switch item.Kind {
		case window.Removed:
			if hasEnded(item) { // while the far store was away
				continue
			}
			removal.Remove = append(removal.Remove, far.Key(item.Key))
			ops, of = append(ops, far.Op{Kind: far.Remove, Key: far.Key(item.Key)}), append(of, i)
		case window.Flushed:
			failed[i] = n.flush(item)
		case window.Stored, window.Made:
			if op, ok := n.opOf(item); ok {
				ops, of = append(ops, op), append(of, i)
			}
		}
	}
	var unsaid error
	if len(removal.Remove) > 0 { // first, as other machines have copies
		n.forget(removal.Remove)
		removal.From = n.id
		unsaid = n.far.Post(removal)
	}
	if n.pushes {
		ops = n.messages(ops)
	}
	n.far.Do(ops)
	n.note(ops)
	for i := range of {
		item := &items[of[i]]
		failed[of[i]] = ops[i].Err
		if item.Kind == window.Removed && ops[i].Err == nil {
			failed[of[i]] = unsaid
		}
		if item.Kind == window.Made && ops[i].Err == nil {
			n.agree(item, &ops[i])
		}
	}
	n.tellMade(items, failed)
	for i, err := range failed {
		refused = refused || errors.Is(err, far.ErrRefused)
		if err != nil && mayRepeat(items[i].Kind, err) {
			again = append(again, items[i])
		}
	}
	return again, refused
}

// tellMade has the other machines hear of the records that the far store has now.
func (n *news) tellMade(items []window.Item, failed []error) {
	e := far.Event{From: n.id}
	for i := range items {
		if items[i].Kind == window.Made && failed[i] == nil {
			e.Made = append(e.Made, far.Key(items[i].Key))
		}
	}
	if len(e.Made) == 0 {
		return
	}
	if err := n.far.Post(e); err != nil {
		for i := range items {
			if items[i].Kind == window.Made {
				failed[i] = err
			}
		}
	}
}

// forget drops what was removed here once more: another worker may have had it fetched before this agent knew.
func (n *news) forget(keys []far.Key) {
	n.gone.remove(keys, false)
	n.read()
	for i := range keys {
		if key := sessioncache.LookupKey(keys[i]); !n.outbox.isStored(key) { // again
			n.drop(&key)
		}
	}
}

// mayRepeat reports whether what has failed is to be told again. A stored session is not, unless it is known that nothing was sent: it
// may have been stored, and taken by another machine since then. Nor is one that was refused, for which there is no room.
func mayRepeat(kind window.Kind, err error) bool {
	return kind != window.Stored || errors.Is(err, far.ErrAway)
}

// opOf is the operation that stores what is in the near store by now. Where nothing is, it has gone again.
func (n *news) opOf(item *window.Item) (far.Op, bool) {
	record := item.Kind == window.Made
	if !record && n.gone.isTheirs(far.Key(item.Key)) { // a worker was changing it when that was heard of
		n.drop(&item.Key)
		return far.Op{}, false
	}
	e, found := n.look(&item.Key, record)
	if !found || len(e.Sealed) > far.MaxSealed {
		return far.Op{}, false
	}
	kind := far.Put
	if record {
		kind = far.Add
	}
	return far.Op{Kind: kind, Key: far.Key(item.Key), Entry: far.Entry{Sealed: e.Sealed, Expires: e.Expires, Made: now()}}, true
}

// flush tells the fleet that sessions were flushed here: those that other machines have made too, whose clocks may be ahead of this one's.
func (n *news) flush(item *window.Item) error {
	f := &far.Flush{Before: item.Expires, Made: now() + sessioncache.Heard}
	if owner := item.Owner(); owner != nil {
		f.Owner = owner[:]
	}
	n.gone.flush(f)
	return n.far.Post(far.Event{From: n.id, Flush: f})
}
