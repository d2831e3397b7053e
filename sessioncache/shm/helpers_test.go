package shm

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"gosess/sessioncache"
	"gosess/sessioncache/storetest"
)

var ctx = context.Background()

// What tests of stores and caches share.
const (
	ordinaryDER = storetest.OrdinaryDER
	testNow     = storetest.Now
	raceEnabled = storetest.RaceEnabled
	thorough    = storetest.Thorough
)

var (
	originA   = storetest.OriginA
	testID    = storetest.ID
	testDER   = storetest.DER
	testKey   = storetest.Key
	checkDER  = storetest.CheckDER
	testCache = storetest.Cache
	mustPut   = storetest.Put
	mustGet   = storetest.Get
	mustMiss  = storetest.Miss
)

// firstSet is where the sets of the smallest store begin.
var firstSet = func() int {
	m, err := layoutOf(newMapping(MinSize))
	if err != nil {
		panic(err)
	}
	return m.setsAt
}()

// makeHeader writes what the C half writes when a store is made.
func makeHeader(mapping []byte) {
	le := binary.LittleEndian
	copy(mapping, Magic)
	le.PutUint32(mapping[VersionAt:], Version)
	le.PutUint32(mapping[SizeAt:], HeaderSize)
	le.PutUint64(mapping[TotalAt:], uint64(len(mapping)))
	le.PutUint64(mapping[CreatedAt:], 1700000000)
	copy(mapping[IDAt:], "the store's id..")
	sumHeader(mapping)
}

func sumHeader(mapping []byte) {
	binary.LittleEndian.PutUint32(mapping[SumAt:], crc32.ChecksumIEEE(mapping[:SumAt]))
}

// newMapping is an empty store on the heap, where the race detector watches it.
func newMapping(size int) []byte {
	mapping := make([]byte, size) // begins on a page, as all of that size do
	makeHeader(mapping)
	return mapping
}

func openShm(t testing.TB, mapping []byte) *Store {
	t.Helper()
	s, err := Open(mapping)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkStore fails where entries overlap or lie outside the data, or a lock is held.
func checkStore(t testing.TB, s *Store) {
	t.Helper()
	for i := range s.sets {
		set := s.setsAt + i*s.setSize
		if s.load(set+setLock) != 0 || s.load(set+setPlace) != 0 {
			t.Errorf("set %d is locked", i)
		}
		s.owners(t, set)
	}
}

// owners says for each unit of a set which live slot it belongs to, counted from 1.
func (s *Store) owners(t testing.TB, set int) []int {
	t.Helper()
	owner := make([]int, s.units)
	for n := range setSlots {
		slot := s.load(s.slot(set, n))
		if !isLive(slot) {
			continue
		}
		if !s.sound(slot) {
			t.Fatalf("set at %d, slot %d: %#x", set, n, slot)
		}
		for u := slotStart(slot); u < slotEnd(slot); u++ {
			if owner[u] != 0 {
				t.Fatalf("set at %d: slots %d and %d overlap", set, owner[u]-1, n)
			}
			owner[u] = n + 1
		}
	}
	return owner
}

// checkZero fails where anything is left of an entry that is no more, or where what is said to be free is not.
func checkZero(t testing.TB, s *Store) {
	t.Helper()
	for i := range s.sets {
		set := s.setsAt + i*s.setSize
		owners := s.owners(t, set)
		for u, slot := range owners {
			if slot == 0 && s.load(s.data(set)+u) != 0 {
				t.Fatalf("set %d: unit %d belongs to no entry and is not zero", i, u)
			}
		}
		for k := range hintGaps {
			start, units := hintOf(s.load(set + setHints + k))
			for u := start; u < start+units; u++ {
				if owners[u] != 0 {
					t.Fatalf("set %d: unit %d of the gap %d to %d belongs to an entry", i, u, start, start+units)
				}
			}
		}
	}
}

// newCache is a cache over a small store, checked when the test ends.
func newCache(t testing.TB, now *int64, keys ...[]byte) (*sessioncache.Cache, *Store) {
	t.Helper()
	s := openShm(t, newMapping(MinSize))
	t.Cleanup(func() { checkStore(t, s) })
	return testCache(t, s, now, keys...), s
}

func find(s *Store, key *sessioncache.LookupKey, e *sessioncache.Entry) bool {
	found, err := s.Find(ctx, key, e)
	return found && err == nil
}

func drop(s *Store, e *sessioncache.Entry) bool {
	dropped, err := s.Drop(ctx, e)
	return dropped && err == nil
}

// setKey is the n-th lookup key of the first set.
func setKey(n int) *sessioncache.LookupKey {
	var key sessioncache.LookupKey
	binary.LittleEndian.PutUint64(key[:], (uint64(n)+1)*0x9e3779b97f4a7c15&^routeTag)
	binary.LittleEndian.PutUint64(key[8:], (uint64(n)+1)*0x9e3779b97f4a7c15>>5) // of 32 sets
	return &key
}

// groupKey is the n-th lookup key of the first set and of one and the same groups.
func groupKey(n int) *sessioncache.LookupKey {
	var key sessioncache.LookupKey
	binary.LittleEndian.PutUint64(key[:], (uint64(n)+1)*0x9e3779b97f4a7c15&^routeTag)
	return &key
}

// placeIn is the position of the slot of a key, 0 where it has none. It does not count as a use.
func placeIn(s *Store, key *sessioncache.LookupKey) int {
	p := s.spotOf(key)
	for _, group := range p.groups {
		for at := group; at < group+groupSlots; at++ {
			if slot := s.load(at); isLive(slot) && s.isOf(&p, slot) {
				return at
			}
		}
	}
	return 0
}

func isThere(s *Store, key *sessioncache.LookupKey) bool { return placeIn(s, key) != 0 }

// slotOf returns the position of the slot of a session, and its set.
func slotOf(t *testing.T, s *Store, id []byte) (set, at int) {
	t.Helper()
	keyOf, _ := storetest.LookupKeys(t, s)
	key := keyOf(id)
	var e sessioncache.Entry
	if !find(s, &key, &e) {
		t.Fatal("no entry")
	}
	return s.spotOf(&key).set, int(e.Handle[0])
}

// inEachSet returns numbers of sessions, from first on, of which so many go to each set.
func inEachSet(t testing.TB, s *Store, first, each int) (numbers []int) {
	keyOf, _ := storetest.LookupKeys(t, s)
	count := make(map[int]int)
	for n := first; len(numbers) < s.sets*each; n++ {
		key := keyOf(testID(n))
		if set := s.spotOf(&key).set; count[set] < each {
			count[set]++
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// mapFile maps a file of a folder, which it makes as large as that.
func mapFile(t testing.TB, dir, name string, size, prot int) []byte {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	mapping, err := syscall.Mmap(int(f.Fd()), 0, size, prot, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(mapping) })
	return mapping
}

// mapShared maps a file of a folder for reading and writing.
func mapShared(t testing.TB, dir, name string, size int) []byte {
	t.Helper()
	return mapFile(t, dir, name, size, syscall.PROT_READ|syscall.PROT_WRITE)
}
