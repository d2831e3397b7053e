package window

import (
	"math/bits"
	"time"

	"gosess/sessioncache"
)

// A slot begins with a word that is the futex of the worker that waits: generation << 3 | state.
// Every change of it is a compare-and-swap of the whole word, so a thread that comes too late changes
// nothing. Then what is asked for: operation, and from bit 8 how many keys. Then a sum of generation, what is asked for and
// keys. Then the keys.
const (
	WhatAt  = 4
	SumAt   = 8
	KeysAt  = 16
	MaxKeys = (SlotSize - KeysAt) / len(sessioncache.LookupKey{})

	stateBits = 3
	stateMask = 1<<stateBits - 1
	countBits = 8
)

// States of a slot.
const (
	Free    = iota
	Filling // a worker writes what it asks for
	Posted
	Taken // the agent is at it
	Hit   // it is in the near store now
	Miss  // the far store does not have it
	Failure
)

// Operation is what a worker asks for.
type Operation uint32

const (
	Get       Operation = iota // put into the near store what is found under the keys
	Take                       // the same, of what is removed from the far store by that: of several workers that take, one gets a Hit
	GetRecord                  // the same as Get with records
	operations
)

// Request is what a worker has asked for.
type Request struct {
	Operation Operation
	keys      [MaxKeys]sessioncache.LookupKey
	count     int
	slot      int
	taken     uint32
}

// Keys are what is looked for: a session has one under each sealing key, and at most one is there.
func (r *Request) Keys() []sessioncache.LookupKey { return r.keys[:r.count] }

func slotAt(slot int) int { return SlotsAt + slot*SlotSize }

// Collect appends to dst what has been asked for, until its capacity is full. Anybody may collect.
func (w *Window) Collect(dst []Request) []Request {
	for group := range Slots / 64 {
		posted := w.u64(PostedAt + group*8)
		if posted.Load() == 0 {
			continue
		}
		for set := posted.Swap(0); set != 0; set &= set - 1 {
			bit := bits.TrailingZeros64(set)
			if len(dst) == cap(dst) {
				posted.Or(set)
				return dst
			}
			if r, ok := w.take(group*64 + bit); ok {
				dst = append(dst, r)
			}
		}
	}
	return dst
}

// take makes a request of a slot. Not ok: there is none any more, or what stands there is none.
func (w *Window) take(slot int) (r Request, ok bool) {
	at := slotAt(slot)
	word := w.u32(at)
	seen := word.Load()
	r.slot, r.taken = slot, seen&^stateMask|Taken
	if seen&stateMask != Posted || !word.CompareAndSwap(seen, r.taken) {
		return r, false
	}
	what := w.u32(at + WhatAt).Load()
	r.Operation, r.count = Operation(what&(1<<countBits-1)), int(what>>countBits)
	if r.Operation >= operations || r.count < 1 || r.count > MaxKeys {
		w.Answer(&r, Failure)
		return r, false
	}
	for i := range r.count {
		r.keys[i] = w.keyAt(at + KeysAt + i*len(r.keys[i]))
	}
	// What a worker has written that had this slot before, and was stopped meanwhile, is not what this one asks for.
	if w.u64(at+SumAt).Load() != sumOf(uint64(seen&^stateMask), uint64(what), r.keys[:r.count]...) {
		w.Answer(&r, Failure)
		return r, false
	}
	return r, true
}

// Answer tells the worker that waits: Hit, Miss or Failure. It reports whether there was one.
func (w *Window) Answer(r *Request, state uint32) bool {
	word := w.u32(slotAt(r.slot))
	if !word.CompareAndSwap(r.taken, r.taken&^stateMask|state) {
		return false
	}
	wake(word)
	if strikes := w.u32(StrikesAt); strikes.Load() != 0 {
		strikes.Store(0)
	}
	return true
}

// IsAwaited reports whether the worker still waits for the answer.
func (w *Window) IsAwaited(r *Request) bool { return w.u32(slotAt(r.slot)).Load() == r.taken }

// Await returns when somebody asks, or time is over. One thread of the agent calls it.
func (w *Window) Await(most time.Duration) {
	bell, sleepers := w.u32(BellAt), w.u32(SleepersAt)
	rung := bell.Load()
	sleepers.Store(1)
	defer sleepers.Store(0)
	for group := range Slots / 64 {
		if w.u64(PostedAt+group*8).Load() != 0 {
			return
		}
	}
	wait(bell, rung, most)
}

// Reclaim frees the slots that have not changed since it was called last: the worker that used one is stopped or is no
// more. The agent calls it each second.
func (w *Window) Reclaim() {
	for slot := range Slots {
		word := w.u32(slotAt(slot))
		seen := word.Load()
		if seen&stateMask != Free && seen == w.seen[slot] && word.CompareAndSwap(seen, nextFree(seen)) {
			w.Count(CountReclaimed, 1)
		}
		w.seen[slot] = word.Load()
	}
}

// nextFree is the word of a slot that is free again.
func nextFree(word uint32) uint32 { return (word>>stateBits + 1) << stateBits }
