package window

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"gosess/sessioncache"
)

// Where everything is, in bytes. Whatever several processes write often has a line for itself.
const (
	GateAt     = 0 // turns << 1 | 1 where it is open
	StrikesAt  = 4 // waits in a row that nobody has answered
	LeaseAt    = 8 // nobody waits after that: CLOCK_MONOTONIC in nanoseconds
	PostedAt   = 128
	BellAt     = 192 // futex of the agent that waits for requests
	SleepersAt = 196
	TailAt     = 256        // how much news there has been
	NewsBellAt = 320        // futex of the agent that waits for news
	IdleAt     = 324        // 1: it does
	HeadAt     = 384        // how much of it the agent has read
	ReadAt     = HeadAt + 8 // how much of it it has read
	LogAt      = ReadAt + 8 // how far it has read the log of the fleet: two numbers
	CountersAt = 448
	SlotsAt    = 4096
	MissesAt   = SlotsAt + Slots*SlotSize
	NewsAt     = MissesAt + Misses*8
	Size       = NewsAt + News*NewsSize
)

// Slots, recent misses and news there is room for.
const (
	Slots    = 256
	SlotSize = 128
	Misses   = 8192
	News     = 16384
	NewsSize = 64
)

// Counter is one of the numbers that can be read from outside. They are never zeroed.
type Counter int

// The workers count the first ones, and the agent those from CountReclaimed.
const (
	CountHits      Counter = iota // requests that were answered so
	CountMisses                   // the far store does not have it
	CountFailures                 // the agent could not say
	CountTimeouts                 // nobody answered until the deadline
	CountCrowded                  // no slot was free, and nothing was asked
	CountRobbed                   // the slot was freed by the agent while its worker used it
	CountReclaimed                // slots that were freed for workers that are no more
	CountOverrun                  // news that was written over before the agent read it
	CountTorn                     // news that never became whole
	CounterCount
)

// Window is a mapped window.
type Window struct {
	base unsafe.Pointer

	// Of the agent, which is one: what Reclaim saw of the slots the last time; how much news Drain has read, and
	// what it waits for.
	seen      [Slots]uint32
	read      atomic.Uint64
	again     uint64        // what the agent before this one has read
	late      atomic.Uint64 // what was begun by then, and is not whole
	lateSince int64
}

// Open sees memory as a window: Size bytes, shared and writable, at an address that 8 divides, which stay
// for as long as the Window is used. What is all zero is a window without an agent.
func Open(memory []byte) *Window {
	w := &Window{base: unsafe.Pointer((*[Size]byte)(memory))}
	w.read.Store(w.u64(HeadAt).Load())
	w.again = w.u64(ReadAt).Load()
	return w
}

func (w *Window) u32(at int) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Add(w.base, at)) }
func (w *Window) u64(at int) *atomic.Uint64 { return (*atomic.Uint64)(unsafe.Add(w.base, at)) }

// Count adds to a counter.
func (w *Window) Count(c Counter, n uint64) { w.u64(CountersAt + int(c)*8).Add(n) }

// Counter reads one.
func (w *Window) Counter(c Counter) uint64 { return w.u64(CountersAt + int(c)*8).Load() }

// sumOf is another one for a mix of what two workers have written to one place, but for chance: a worker that is stopped
// while it writes may go on when the place is another's.
func sumOf(number, what uint64, keys ...sessioncache.LookupKey) uint64 {
	sum := mix(mix(0, number), what)
	for i := range keys {
		ne := binary.NativeEndian
		sum = mix(mix(sum, ne.Uint64(keys[i][:])), ne.Uint64(keys[i][8:]))
	}
	return sum
}

func mix(sum, word uint64) uint64 {
	sum = (sum ^ word) * 0x9e3779b97f4a7c15
	return sum ^ sum>>29
}

// putKey and keyAt write and read a lookup key, in words of the machine.
func (w *Window) putKey(at int, key *sessioncache.LookupKey) {
	w.u64(at).Store(binary.NativeEndian.Uint64(key[:]))
	w.u64(at + 8).Store(binary.NativeEndian.Uint64(key[8:]))
}

func (w *Window) keyAt(at int) (key sessioncache.LookupKey) {
	binary.NativeEndian.PutUint64(key[:], w.u64(at).Load())
	binary.NativeEndian.PutUint64(key[8:], w.u64(at+8).Load())
	return key
}
