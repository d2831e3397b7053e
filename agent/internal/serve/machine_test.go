package serve_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"gosess/agent/internal/journal"
	"gosess/agent/internal/options"
	"gosess/agent/internal/remote"
	"gosess/agent/internal/serve"
	"gosess/agent/internal/testredis"
	"gosess/agent/internal/teststore"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

// A machine is a near store with an agent, and what its servers would do.
type machine struct {
	t      *testing.T
	url    string
	path   string
	served *shm.Served
	window *window.Window
	memory []byte // of the window, as servers map it
	client *remote.Client
	agent  *serve.Agent
	around func(serve.Far) serve.Far // where a test puts something between
	said   lines
}

type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var ctx = context.Background()

// start makes a machine, and begins to serve it.
func start(t *testing.T, url string) *machine {
	t.Helper()
	m := idle(t, url)
	m.begin()
	return m
}

// idle makes a machine without an agent.
func idle(t *testing.T, url string) *machine {
	t.Helper()
	m := &machine{t: t, url: url, path: filepath.Join(t.TempDir(), "store")}
	teststore.Make(t, m.path)
	file, err := os.OpenFile(m.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	mapping, err := syscall.Mmap(int(file.Fd()), 0, teststore.Size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	m.memory = mapping[shm.MinSize:]
	m.window = window.Open(m.memory)
	served, err := shm.Serve(m.path)
	if err != nil {
		t.Fatal(err)
	}
	m.served = served
	t.Cleanup(func() {
		m.end(0)
		m.served.Close()
		if t.Failed() {
			t.Logf("an agent said: %s", m.said.String())
		}
	})
	return m
}

// begin starts an agent.
func (m *machine) begin() {
	m.t.Helper()
	f, err := options.ParseFar(m.url)
	if err != nil {
		m.t.Fatal(err)
	}
	log := journal.New(&m.said, func(string) string { return "" })
	m.client = remote.New(f, options.Secrets{}, log, func(up bool, began time.Time, trip time.Duration) { m.agent.Changed(up, began, trip) },
		func(message []byte) { m.agent.Heard(message) })
	store := serve.Far(m.client)
	if m.around != nil {
		store = m.around(store)
	}
	m.agent = serve.New(m.served.Window(), m.served.Store, store, log, f.Push)
	m.agent.Start()
	m.client.Start()
}

// end stops it, and returns what it has left.
func (m *machine) end(patience time.Duration) (left int) {
	if m.agent == nil {
		return 0
	}
	left = m.agent.Stop(patience)
	m.client.Close()
	m.agent = nil
	return left
}

func (m *machine) waitOpen() {
	m.t.Helper()
	testredis.WaitFor(m.t, "an open gate", m.window.MayWait)
}

// store does what a server does that has a new session.
func (m *machine) store(key sessioncache.LookupKey, text string) {
	m.t.Helper()
	until := uint32(time.Now().Unix() + 300)
	if err := m.served.Put(ctx, &key, []byte(text), until, until-300); err != nil {
		m.t.Fatal(err)
	}
	m.window.Tell(window.Item{Kind: window.Stored, Key: key, Expires: until})
}

func (m *machine) near(key sessioncache.LookupKey) string {
	var e sessioncache.Entry
	m.served.Look(&key, &e)
	return string(e.Sealed)
}

// forget takes a session from the near store alone.
func (m *machine) forget(key sessioncache.LookupKey) {
	var e sessioncache.Entry
	if m.served.Look(&key, &e) {
		m.served.Drop(ctx, &e)
	}
}

func (m *machine) remove(key sessioncache.LookupKey) {
	m.forget(key)
	m.window.Tell(window.Item{Kind: window.Removed, Key: key})
}

func (m *machine) word(at int) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&m.memory[at])) }

// ask posts a request, as a worker does, and returns its answer: Posted or Taken where none came in time.
func (m *machine) ask(operation window.Operation, key sessioncache.LookupKey, patience time.Duration) uint32 {
	const states = 7
	for slot := range window.Slots {
		at := window.SlotsAt + slot*window.SlotSize
		word := m.word(at)
		free := word.Load()
		if free&states != window.Free || !word.CompareAndSwap(free, free|window.Filling) {
			continue
		}
		what := uint32(operation) | 1<<8
		m.word(at + window.WhatAt).Store(what)
		ne := binary.NativeEndian
		sum := mix(mix(mix(mix(0, uint64(free&^states)), uint64(what)), ne.Uint64(key[:])), ne.Uint64(key[8:]))
		(*atomic.Uint64)(unsafe.Pointer(&m.memory[at+window.SumAt])).Store(sum)
		copy(m.memory[at+window.KeysAt:], key[:])
		word.Store(free | window.Posted)
		(*atomic.Uint64)(unsafe.Pointer(&m.memory[window.PostedAt+slot/64*8])).Or(1 << (slot % 64))
		m.word(window.BellAt).Add(1)
		if m.word(window.SleepersAt).Load() != 0 {
			syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(m.word(window.BellAt))), 1, 1, 0, 0, 0)
		}
		state := word.Load() & states
		end := time.Now().Add(patience)
		for ; state < window.Hit && time.Now().Before(end); state = word.Load() & states {
			if word.Load()&^states != free&^states { // the agent has taken the slot back: so long did this take on a busy machine
				return m.ask(operation, key, time.Until(end))
			}
			time.Sleep(20 * time.Microsecond)
		}
		word.Store((free>>3 + 1) << 3)
		return state
	}
	m.t.Fatal("no slot is free")
	return 0
}

// mix is that of docs/fleet-format.md.
func mix(sum, word uint64) uint64 {
	sum = (sum ^ word) * 0x9e3779b97f4a7c15
	return sum ^ sum>>29
}

// asks wants an answer.
func (m *machine) asks(operation window.Operation, key sessioncache.LookupKey, want uint32) {
	m.t.Helper()
	if got := m.ask(operation, key, testredis.Patience); got != want {
		m.t.Errorf("the answer is %d, not %d", got, want)
	}
}

func keyOf(i int) (k sessioncache.LookupKey) {
	// Spread over the sets of the store.
	binary.LittleEndian.PutUint64(k[:], uint64(i+1)*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(k[8:], uint64(i+1)*0xbf58476d1ce4e5b9)
	k[sessioncache.RouteByte] &^= sessioncache.RouteBit
	return k
}

func sealed(i int) string { return fmt.Sprintf("ownr sealed session number %d", i) }
