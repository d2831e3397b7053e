package serve_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/testredis"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// TestOneBadShard: a shard that is silent, and that nothing takes over, costs what lies there. Nobody waits for it for long, and the
// others go on as if nothing were.
func TestOneBadShard(t *testing.T) {
	t.Parallel()
	nodes := testredis.Cluster(t, 3, "--cluster-require-full-coverage", "no")
	a, b := two(t, fmt.Sprintf("redis://127.0.0.1:%d,127.0.0.1:%d?cluster", nodes[1].Port, nodes[2].Port))
	testredis.WaitFor(t, "the places of the slots", func() bool { return a.client.Shard(nil) >= 0 && b.client.Shard(nil) >= 0 })
	silent := 0 // not the one that has the log of removals, as those would have to wait too
	for !strings.HasPrefix(nodes[silent].CLI("XLEN", "gosess:log"), "-MOVED") {
		silent++
	}
	onSilent := func(key sessioncache.LookupKey) bool {
		return !strings.HasPrefix(nodes[silent].CLI("EXISTS", "gosess:"+base64.RawURLEncoding.EncodeToString(key[:])), "-MOVED")
	}
	var bad, good []int
	for i := 0; len(bad) < 60 || len(good) < 60; i++ {
		if onSilent(keyOf(i)) {
			bad = append(bad, i)
		} else {
			good = append(good, i)
		}
		if len(bad) > 0 && b.together(i, bad[0]) != onSilent(keyOf(i)) {
			t.Fatalf("session %d is taken to be on another shard", i)
		}
		a.store(keyOf(i), sealed(i))
		b.hears(keyOf(i), sealed(i))
	}
	for _, n := range []*testredis.Server{nodes[silent], nodes[silent+3]} {
		n.Signal(syscall.SIGSTOP)
	}
	goesOn := func() {
		t.Helper()
		for _, i := range good[:5] {
			b.forget(keyOf(i))
			b.hears(keyOf(i), sealed(i))
		}
		testredis.WaitFor(t, "an open gate", b.window.GateIsOpen)
	}
	late := 0
	for _, i := range bad[:50] { // with time for an agent that says at once that it cannot say, on a busy machine too
		if state := b.ask(window.Get, keyOf(i), 300*time.Millisecond); state < window.Hit {
			late++
		}
		goesOn()
	}
	if late > 6 { // one may be on its way, not yet taken
		t.Errorf("%d workers waited in vain", late)
	}
	a.remove(keyOf(bad[50]))
	for i := range 30 { // the shards that answer are told of new sessions, and of removals
		a.store(keyOf(100000+i), sealed(i))
		if !b.together(100000+i, bad[0]) {
			b.hears(keyOf(100000+i), sealed(i))
		}
	}
	a.remove(keyOf(good[50]))
	testredis.WaitFor(t, "the removal of a copy", func() bool { return b.near(keyOf(good[50])) == "" })
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); { // longer than a connection that is silent is kept
		goesOn()
	}
	for _, n := range []*testredis.Server{nodes[silent], nodes[silent+3]} {
		n.Signal(syscall.SIGCONT)
	}
	for _, i := range bad[:50] {
		b.forget(keyOf(i))
		b.hears(keyOf(i), sealed(i))
	}
	testredis.WaitFor(t, "the removal of a copy", func() bool { return b.near(keyOf(bad[50])) == "" })
	b.asks(window.Get, keyOf(bad[50]), window.Miss)
}

// together reports whether two sessions are on one shard.
func (m *machine) together(i, j int) bool {
	one, other := far.Key(keyOf(i)), far.Key(keyOf(j))
	return m.client.Shard(&one) == m.client.Shard(&other)
}
