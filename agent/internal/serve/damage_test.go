package serve_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"gosess/agent/internal/testredis"
	"gosess/sessioncache/window"
)

// TestDamagedWindow writes whatever it likes to a window that is served, as a process could that may write to the store: the agent goes on, and serves when
// that has ended.
func TestDamagedWindow(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	a, b := two(t, redis.URL()+"?push")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var ended sync.WaitGroup
	var stop atomic.Bool
	ended.Go(func() {
		for !stop.Load() {
			kinds := []window.Kind{0, window.Stored, window.Removed, window.Made, window.Made + 1} // no flush, which would count for a minute
			a.window.Tell(window.Item{Kind: kinds[time.Now().UnixNano()%int64(len(kinds))], Key: keyOf(1), Expires: uint32(time.Now().UnixNano())})
			time.Sleep(time.Microsecond)
		}
	})
	for range 300000 {
		at := random.IntN(window.Size/8) * 8
		if random.IntN(2) == 0 {
			at = random.IntN(window.SlotsAt/8) * 8 // where the agent looks first
		}
		if slot := random.IntN(window.Slots); at%64 == 0 { // what looks like a request
			a.word(window.SlotsAt + slot*window.SlotSize + window.WhatAt).Store(random.Uint32N(4) | random.Uint32N(20)<<8)
			a.word(window.SlotsAt + slot*window.SlotSize).Store(random.Uint32()&^7 | window.Posted)
			at = window.PostedAt + slot/64*8
		}
		value := random.Uint64() >> random.IntN(64)
		(*atomic.Uint64)(unsafe.Pointer(&a.memory[at])).Store(value)
	}
	stop.Store(true)
	ended.Wait()
	for at := window.SlotsAt; at < window.MissesAt; at += window.SlotSize {
		a.word(at).Store(0)
	}
	a.waitOpen()
	key := keyOf(100)
	b.store(key, sealed(100))
	testredis.WaitFor(t, "an answer", func() bool { return a.ask(window.Get, key, time.Second) == window.Hit })
	testredis.WaitFor(t, "news of it", func() bool {
		a.store(keyOf(101), sealed(101))
		return b.near(keyOf(101)) != "" || b.ask(window.Get, keyOf(101), time.Second) == window.Hit
	})
}
