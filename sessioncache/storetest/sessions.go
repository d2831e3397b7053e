package sessioncache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"
)

// makeHeader writes what the C half writes when a store is made.
func makeHeader(mapping []byte) {
	le := binary.LittleEndian
	copy(mapping, headerMagic)
	le.PutUint32(mapping[headerVersionAt:], headerVersion)
	le.PutUint32(mapping[headerSizeAt:], headerSize)
	le.PutUint64(mapping[headerTotalAt:], uint64(len(mapping)))
	le.PutUint64(mapping[headerCreatedAt:], 1700000000)
	copy(mapping[headerIDAt:], "the store's id..")
	sumHeader(mapping)
}

func sumHeader(mapping []byte) {
	binary.LittleEndian.PutUint32(mapping[headerSumAt:], crc32.ChecksumIEEE(mapping[:headerSumAt]))
}

// newMapping is an empty store on the heap, where the race detector watches it.
func newMapping(size int) []byte {
	mapping := make([]byte, size) // begins on a page, as all of that size do
	makeHeader(mapping)
	return mapping
}

func openShm(t testing.TB, mapping []byte) *Shm {
	t.Helper()
	s, err := OpenShm(mapping)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testKey(n byte) []byte { return bytes.Repeat([]byte{n}, KeySize) }

// testCache is a cache over a store with a clock that stands at *now.
func testCache(t testing.TB, store Store, now *int64, keys ...[]byte) *Cache {
	t.Helper()
	if len(keys) == 0 {
		keys = [][]byte{testKey(1)}
	}
	c, err := New(store, keys)
	if err != nil {
		t.Fatal(err)
	}
	if now != nil {
		c.now = func() int64 { return *now }
	}
	return c
}

// testID is the n-th session id.
func testID(n int) []byte {
	id := sha256.Sum256(fmt.Appendf(nil, "id %d", n))
	return id[:]
}

// testDER is a session of some size that says whose it is, in which version, and
// cannot be pieced together from others.
func testDER(id []byte, version uint32, size int) []byte {
	der := binary.BigEndian.AppendUint32(nil, version)
	der = append(der, id...)
	block := sha256.Sum256(der)
	for len(der) < size {
		der = append(der, block[:]...)
		block = sha256.Sum256(block[:])
	}
	return der[:size]
}

// checkDER fails unless der is what testDER made for id.
func checkDER(t testing.TB, id, der []byte) (version uint32) {
	t.Helper()
	if len(der) < 4+len(id) {
		t.Fatalf("a session of %d bytes came back", len(der))
	}
	version = binary.BigEndian.Uint32(der)
	if !bytes.Equal(der, testDER(id, version, len(der))) {
		t.Fatalf("wrong data came back for id %x", id)
	}
	return version
}

const (
	ordinaryDER = 137 // bytes: TLS 1.3, no client certificate
	testNow     = 1700000000
)

func mustPut(t testing.TB, c *Cache, o Origin, id, der []byte, expires int64) {
	t.Helper()
	if _, err := c.Put(o, Session{ID: id, DER: der, Expires: expires}); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func mustGet(t testing.TB, c *Cache, o Origin, id, want []byte) {
	t.Helper()
	got, _, ok := c.Get(o, id, nil)
	if !ok {
		t.Fatalf("Get of %x is a miss", id)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("Get of %x is not what was put", id)
	}
}

func mustMiss(t testing.TB, c *Cache, o Origin, id []byte) {
	t.Helper()
	dst := []byte("dst")
	if got, _, ok := c.Get(o, id, dst); ok || !bytes.Equal(got, dst) {
		t.Fatalf("Get of %x is a hit", id)
	}
}

// checkStore fails where entries overlap or lie outside the data, or a lock is held.
func checkStore(t testing.TB, s *Shm) {
	t.Helper()
	for i := range s.sets {
		set := setsAt + i*s.setSize
		if s.load(set+setLock) != 0 || s.load(set+setPlace) != 0 {
			t.Errorf("set %d is locked", i)
		}
		s.owners(t, set)
	}
}

// owners says for each unit of a set which live slot it belongs to, counted from 1.
func (s *Shm) owners(t testing.TB, set int) []int {
	t.Helper()
	owner := make([]int, s.units)
	for slot := range s.slots {
		meta := s.load(s.metas(set) + slot)
		if !isLive(meta) {
			continue
		}
		if !s.sound(meta) {
			t.Fatalf("set at %d, slot %d: meta %#x", set, slot, meta)
		}
		for u := metaStart(meta); u < metaStart(meta)+metaUnits(meta); u++ {
			if owner[u] != 0 {
				t.Fatalf("set at %d: slots %d and %d overlap", set, owner[u]-1, slot)
			}
			owner[u] = slot + 1
		}
	}
	return owner
}

// checkZero fails where anything is left of an entry that is no more.
func checkZero(t testing.TB, s *Shm) {
	t.Helper()
	for i := range s.sets {
		set := setsAt + i*s.setSize
		for u, slot := range s.owners(t, set) {
			if slot == 0 && s.load(s.data(set)+u) != 0 {
				t.Fatalf("set %d: unit %d belongs to no entry and is not zero", i, u)
			}
		}
	}
}

// checkModel fails unless the live entries of a store are just those that a model holds:
// each under its own key, in its own set, whole.
func checkModel(t testing.TB, s *Shm, c *Cache, held map[LookupKey][]byte) {
	t.Helper()
	checkStore(t, s)
	w := c.begin()
	defer c.end(w)
	found := 0
	for key, want := range held {
		w.key = key
		if !s.Find(&key, &w.entry) {
			t.Errorf("entry %x is missing", key[:4])
			continue
		}
		found++
		if plain := c.keys[0].open(w); len(plain) < sessionHead || string(plain[sessionHead:]) != string(want) {
			t.Errorf("entry %x is not what was put", key[:4])
		}
	}
	if n := s.Stats().Entries; n != uint64(found) {
		t.Errorf("%d entries, of which %d are known", n, found)
	}
}

// named is what asks under a server name, and says nothing of the terms.
func named(serverName string) Asked { return Asked{ServerName: serverName} }
