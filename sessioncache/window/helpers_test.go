package window

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"gosess/sessioncache"
)

// newWindow is an empty one, on the heap.
func newWindow(testing.TB) *Window {
	words := make([]uint64, Size/8)
	return Open(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), Size))
}

// again is the same memory as another process has it.
func again(_ testing.TB, w *Window) *Window { return Open(unsafe.Slice((*byte)(w.base), Size)) }

func keyOf(n int) (key sessioncache.LookupKey) {
	for i := range key {
		key[i] = byte((n + 1) * (2*i + 1) >> (i % 8))
	}
	key[0], key[1], key[2], key[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
	return key
}

// What has become of a wait.
const (
	closed = iota + 100
	crowded
	robbed
	timeout
)

// ask is what a worker does, in C: shim/far/ask.c.
func (w *Window) ask(operation Operation, patience time.Duration, step func(), keys ...sessioncache.LookupKey) uint32 {
	w.Renew(LongestLease) // however slow the machine is
	if !w.MayWait() {
		return closed
	}
	deadline := Now() + int64(patience)
	for slot := range Slots {
		at := slotAt(slot)
		word := w.u32(at)
		free := word.Load()
		if free&stateMask != Free || !word.CompareAndSwap(free, free|Filling) {
			continue
		}
		step()
		what := uint32(operation) | uint32(len(keys))<<countBits
		w.u32(at + WhatAt).Store(what)
		w.u64(at + SumAt).Store(sumOf(uint64(free), uint64(what), keys...))
		for i := range keys {
			w.putKey(at+KeysAt+i*16, &keys[i])
			step()
		}
		if !word.CompareAndSwap(free|Filling, free|Posted) {
			return robbed
		}
		step()
		w.u64(PostedAt + slot/64*8).Or(1 << (slot % 64))
		step()
		w.u32(BellAt).Add(1)
		if w.u32(SleepersAt).Load() != 0 {
			wake(w.u32(BellAt))
		}
		step()
		return w.await(word, free, deadline)
	}
	return crowded
}

func (w *Window) await(word *atomic.Uint32, free uint32, deadline int64) uint32 {
	for {
		seen := word.Load()
		if seen>>stateBits != free>>stateBits {
			return robbed
		}
		over := Now() >= deadline
		if seen&stateMask < Hit && !over {
			time.Sleep(10 * time.Microsecond)
			continue
		}
		if word.CompareAndSwap(seen, nextFree(seen)) {
			if seen&stateMask >= Hit {
				return seen & stateMask
			}
			return timeout
		}
	}
}

func noStep() {}

// freeSlots is how many slots are.
func freeSlots(w *Window) (n int) {
	for slot := range Slots {
		if w.u32(slotAt(slot)).Load()&stateMask == Free {
			n++
		}
	}
	return n
}
