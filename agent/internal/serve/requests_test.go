package serve

import (
	"encoding/binary"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"gosess/agent/internal/far"
	"gosess/sessioncache/window"
)

// silent is a far store that never answers.
type silent struct{ Far }

func (silent) Shard(*far.Key) int   { return -1 }
func (silent) Ask([]far.Op, func()) {}

// TestTakesAreBounded has somebody ask for ever more sessions that may be used once, and are just being delivered: of those that are too many it is said at
// once that nobody can say.
func TestTakesAreBounded(t *testing.T) {
	words := make([]uint64, window.Size/8)
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), window.Size)
	w := window.Open(memory)
	m := newMachine(w, nil, silent{}, nil, false)
	q := newRequests(m, newNews(m))
	item := numbered(window.Stored, 1)
	m.outbox.add([]window.Item{item})
	ne, before := binary.NativeEndian, runtime.NumGoroutine()
	mix := func(sum, word uint64) uint64 { // of docs/fleet-format.md
		sum = (sum ^ word) * 0x9e3779b97f4a7c15
		return sum ^ sum>>29
	}
	failures := 0
	for round := range 40 * mostTaking / window.Slots { // in less time than they wait, or in more
		for slot := range window.Slots {
			at := memory[window.SlotsAt+slot*window.SlotSize:]
			generation, what := uint64(round+1)<<3, uint64(window.Take)|1<<8
			ne.PutUint32(at, uint32(generation)|window.Posted)
			ne.PutUint32(at[window.WhatAt:], uint32(what))
			ne.PutUint64(at[window.SumAt:], mix(mix(mix(mix(0, generation), what), ne.Uint64(item.Key[:])), ne.Uint64(item.Key[8:])))
			copy(at[window.KeysAt:], item.Key[:])
			memory[window.PostedAt+slot/8] |= 1 << (slot % 8)
		}
		q.begin(w.Collect(make([]window.Request, 0, window.Slots)), time.Now())
		for slot := range window.Slots {
			if ne.Uint32(memory[window.SlotsAt+slot*window.SlotSize:])%8 == window.Failure {
				failures++
			}
		}
		if n := runtime.NumGoroutine() - before; n > mostTaking+window.Slots { // some of those that end
			t.Fatalf("%d goroutines", n)
		}
	}
	if failures == 0 {
		t.Error("all were asked, in turn: nothing was too much")
	}
	close(m.stop)
}

// TestLooksAreApart: between two looks at the window there is time for any worker that waits.
func TestLooksAreApart(t *testing.T) {
	at := time.Now()
	for range 100 {
		next := nextLook(time.Now())
		if apart := next.Sub(at); apart < tick/2 || apart > 2*tick {
			t.Fatalf("%v apart", apart)
		}
		time.Sleep(10 * time.Millisecond)
		at = time.Now()
	}
}
