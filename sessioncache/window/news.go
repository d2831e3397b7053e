package window

import (
	"encoding/binary"
	"time"
	"unsafe"

	"gosess/sessioncache"
)

// Item is what a worker has done to the near store.
type Item struct {
	Kind    Kind
	Key     sessioncache.LookupKey // of Flushed: Owner
	Expires uint32                 // unix seconds: when the session or record ends, or would have; of Flushed: what ends before that, 0 for all
}

// Kind is what has been done.
type Kind uint32

const (
	Stored  Kind = iota + 1 // a session, in place of what was there; the entry is in the near store
	Removed                 // a session
	Flushed                 // the sessions of an owner
	Made                    // a record, where there was none
	kinds
)

// everyone is the byte of the key that says that it is of all owners.
const everyone = 15

// Flush is the news that sessions were flushed: those of an owner, of all where it is nil.
func Flush(owner *sessioncache.Tag, before uint32) Item {
	item := Item{Kind: Flushed, Expires: before}
	if owner == nil {
		item.Key[everyone] = 1
	} else {
		copy(item.Key[:], owner[:])
	}
	return item
}

// Owner is whose sessions were flushed, nil for all.
func (i *Item) Owner() *sessioncache.Tag {
	if i.Key[everyone] != 0 {
		return nil
	}
	owner := sessioncache.Tag(i.Key[:])
	return &owner
}

// News lies in a ring. Each piece is, in words: its number from 1, 0 while it is written; kind and expiry; the
// key; and a sum of all that, as a worker that is stopped while it writes may go on when the ring has come round.
const (
	newsWhat = 8
	newsKey  = 16
	newsSum  = 32

	// For so long the agent waits for what has been begun, in nanoseconds: a worker on a busy machine may stand still for
	// tens of milliseconds between two stores, and a removal that the agent has passed over reaches nobody.
	newsPatience = 200e6
	newsPause    = time.Millisecond
)

// Tell tells the agent. It never waits.
func (w *Window) Tell(item Item) {
	number := w.u64(TailAt).Add(1)
	at := newsAt(number)
	what := uint64(item.Kind)<<32 | uint64(item.Expires)
	w.u64(at).Store(0)
	w.putNews(at, what, &item.Key, sumOf(number, what, item.Key))
	w.u64(at).Store(number)
	if idle := w.u32(IdleAt); idle.Load() != 0 && idle.CompareAndSwap(1, 0) {
		w.u32(NewsBellAt).Add(1)
		wake(w.u32(NewsBellAt))
	}
}

// putNews writes what nobody may look at yet.
func (w *Window) putNews(at int, what uint64, key *sessioncache.LookupKey, sum uint64) {
	if ordered {
		ne := binary.NativeEndian
		*(*[4]uint64)(unsafe.Add(w.base, at+newsWhat)) = [4]uint64{what, ne.Uint64(key[:]), ne.Uint64(key[8:]), sum}
		return
	}
	w.u64(at + newsWhat).Store(what)
	w.putKey(at+newsKey, key)
	w.u64(at + newsSum).Store(sum)
}

func newsAt(number uint64) int { return NewsAt + int((number-1)%News)*NewsSize }

// Drain appends to dst the news that there is, until its capacity is full. One thread of the agent at a time calls it. What is
// read counts as delivered only after [Window.Delivered]: an agent that dies before that has its successor read it again.
func (w *Window) Drain(dst []Item) []Item {
	tail := w.u64(TailAt).Load()
	w.catchUp(tail)
	if w.ReadsAgain() {
		tail = w.again
	}
	for w.read.Load() != tail && len(dst) < cap(dst) {
		item, state := w.newsOf(w.read.Load() + 1)
		if state == unfinished && w.isEarly(w.read.Load()+1, tail) {
			break
		}
		switch state {
		case whole:
			dst = append(dst, item)
		case overrun:
			w.Count(CountOverrun, 1)
		default:
			w.Count(CountTorn, 1)
		}
		w.read.Add(1)
	}
	w.u64(ReadAt).Store(w.read.Load())
	return dst
}

// ReadsAgain reports whether the agent before this one has read what Drain returns next, and may have done it.
func (w *Window) ReadsAgain() bool {
	return w.again-w.read.Load()-1 < News && w.u64(TailAt).Load()-w.again <= News
}

// catchUp skips what has been written over. Anything may stand in the mapping, also that more was read than there is.
func (w *Window) catchUp(tail uint64) {
	if tail-w.read.Load() <= News {
		return
	}
	oldest := tail - min(tail, News)
	if w.read.Load() < oldest {
		w.Count(CountOverrun, oldest-w.read.Load())
	}
	w.read.Store(oldest)
}

const (
	whole = iota
	unfinished
	overrun
)

func (w *Window) newsOf(number uint64) (item Item, state int) {
	at := newsAt(number)
	if seen := w.u64(at).Load(); seen != number {
		if seen > number {
			return item, overrun
		}
		return item, unfinished
	}
	what := w.u64(at + newsWhat).Load()
	item = Item{Kind: Kind(what >> 32), Key: w.keyAt(at + newsKey), Expires: uint32(what)}
	is := w.u64(at + newsSum).Load()
	if w.u64(at).Load() != number || is != sumOf(number, what, item.Key) || item.Kind == 0 || item.Kind >= kinds {
		return item, overrun
	}
	return item, whole
}

// isEarly reports whether a piece of news that is being written may still become whole.
func (w *Window) isEarly(number, tail uint64) bool {
	now := Now()
	if number > w.late.Load() {
		w.late.Store(tail)
		w.lateSince = now
	}
	return now-w.lateSince < newsPatience
}

// Delivered says that all that Drain has returned is taken care of.
func (w *Window) Delivered() { w.u64(HeadAt).Store(w.read.Load()) }

// Ring has the agent look for requests and news, though there may be none.
func (w *Window) Ring() {
	for _, bell := range []int{BellAt, NewsBellAt} {
		w.u32(bell).Add(1)
		wake(w.u32(bell))
	}
}

// AwaitNews returns when there is news, or time is over. To be woken costs the worker that tells some 5 us, so an
// agent that has had some lately looks by itself every few milliseconds instead.
func (w *Window) AwaitNews(most time.Duration) {
	bell, idle := w.u32(NewsBellAt), w.u32(IdleAt)
	rung := bell.Load()
	idle.Store(1)
	switch tail := w.u64(TailAt).Load(); {
	case tail == w.read.Load():
		wait(bell, rung, most)
	case w.read.Load() < w.late.Load(): // nobody rings for what is being written
		time.Sleep(min(most, newsPause))
	}
	idle.Store(0)
}
