package window_test

import (
	"crypto/rand"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/tickets"
	"gosess/sessioncache/window"
)

// newStore is an empty store of a fleet, of the smallest size.
func newStore(t *testing.T) *shm.Served {
	t.Helper()
	path := filepath.Join(t.TempDir(), "web")
	mapping := make([]byte, shm.MinSize+window.Size)
	le := binary.LittleEndian
	copy(mapping, shm.Magic)
	le.PutUint32(mapping[shm.VersionAt:], shm.Version)
	le.PutUint32(mapping[shm.SizeAt:], shm.HeaderSize)
	le.PutUint64(mapping[shm.TotalAt:], uint64(len(mapping)))
	le.PutUint32(mapping[shm.KindAt:], shm.KindFleet)
	le.PutUint32(mapping[shm.SumAt:], crc32.ChecksumIEEE(mapping[:shm.SumAt]))
	if err := os.WriteFile(path, mapping, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := shm.Serve(path)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// Two machines that have made secrets apart have those of one of them as soon as their agents hear of it.
func TestSecretsAgree(t *testing.T) {
	f := &fleet{t: t, far: map[sessioncache.LookupKey]entry{}}
	var caches []*sessioncache.Cache
	for range 2 {
		store := newStore(t)
		defer store.Close()
		f.machines = append(f.machines, store)
		cache, err := sessioncache.New(store, [][]byte{make([]byte, sessioncache.KeySize)})
		if err != nil {
			t.Fatal(err)
		}
		cache.Tell(store.Window())
		caches = append(caches, cache)
	}
	plan := tickets.Plan{Now: time.Now().Unix(), Period: 300, Keep: 300}
	read := func(n int) (values [2][tickets.Size]byte) {
		secrets, err := tickets.Read(ctx, caches[n], plan, func(b []byte) { rand.Read(b) })
		if err != nil || len(secrets) != 2 {
			t.Fatalf("%d secrets, %v", len(secrets), err)
		}
		for i := range values {
			values[i] = secrets[i].Value
		}
		return values
	}
	first, second := read(0), read(1)
	if first[0] == second[0] || first[1] == second[1] {
		t.Fatal("they are the same before")
	}
	for _, store := range f.machines {
		f.hear(store, store.Window())
	}
	for i, secret := range read(1) {
		if secret != first[i] || read(0)[i] != first[i] {
			t.Errorf("secret %d differs", i)
		}
	}
	if names := tickets.Missing(ctx, caches[1], plan); len(names) != 0 {
		t.Errorf("%q are missing", names)
	}
}
