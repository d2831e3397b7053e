package sessioncache

import (
	"encoding/binary"
	"errors"
	"testing"
)

// FuzzHeader opens stores with any header.
func FuzzHeader(f *testing.F) {
	header := newMapping(MinSize)[:headerSize]
	f.Add(header)
	f.Add(header[:10])
	f.Add([]byte{})
	mapping := newMapping(MinSize)
	f.Fuzz(func(t *testing.T, header []byte) {
		clear(mapping[:headerSize])
		copy(mapping[:headerSize], header)
		s, err := OpenShm(mapping)
		if err == nil {
			s.Stats()
			return
		}
		if !errors.Is(err, ErrNotOurs) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrDamaged) {
			t.Errorf("error %v", err)
		}
	})
}

// FuzzMapping writes anything anywhere after the header of a store: six bytes of
// input are a position and a word of two bytes, repeated. Whatever is
// found afterwards must be right, and the store must go on working.
func FuzzMapping(f *testing.F) {
	const ids = 400
	patch := func(at uint32, v uint16) []byte {
		return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint32(nil, at), v)
	}
	m, err := openMap(newMapping(MinSize))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	for _, at := range []int{
		workersAt, setsAt + setLock, setsAt + setClock, setsAt + setGeneration,
		m.tags(setsAt), m.metas(setsAt), m.times(setsAt), m.data(setsAt),
	} {
		f.Add(append(patch(uint32(at*wordSize), 1), patch(uint32(at*wordSize+6), 0xffff)...))
	}
	now := int64(testNow)
	pristine := newMapping(MinSize)
	c := testCache(f, openShm(f, pristine), &now)
	for n := range ids {
		mustPut(f, c, originA, testID(n), testDER(testID(n), 0, 100+n), now+10)
	}
	later := inEachSet(&m, c, ids, 3) // a set is mended when something is put there
	mapping := newMapping(MinSize)
	f.Fuzz(func(t *testing.T, patches []byte) {
		copy(mapping[headerSize:], pristine[headerSize:])
		for ; len(patches) >= 6; patches = patches[6:] {
			at := headerSize + binary.LittleEndian.Uint32(patches)%(MinSize-headerSize-1)
			copy(mapping[at:at+2], patches[4:6])
		}
		s := openShm(t, mapping)
		s.patience = 0 // a lock that means nothing may stand anywhere
		c := testCache(t, s, &now)
		for n := range ids {
			if der, _, ok := c.Get(originA, testID(n), nil); ok {
				checkDER(t, testID(n), der)
			}
		}
		c.Remove(testID(0), func(der []byte, _ Seal) bool {
			checkDER(t, testID(0), der)
			return true
		})
		for _, n := range later {
			mustPut(t, c, originA, testID(n), testDER(testID(n), 0, 100+n), now+10)
			mustGet(t, c, originA, testID(n), testDER(testID(n), 0, 100+n))
		}
		s.Stats()
		checkStore(t, s)
	})
}

// inEachSet returns numbers of sessions, from first on, of which so many go to each set.
func inEachSet(m *shmMap, c *Cache, first, each int) (numbers []int) {
	w := c.begin()
	defer c.end(w)
	count := make(map[int]int)
	for n := first; len(numbers) < m.sets*each; n++ {
		w.lookup(0, testID(n))
		if set := m.setOf(&w.key); count[set] < each {
			count[set]++
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// FuzzSealed looks up entries of any bytes: four of them are the expiry, the rest what is
// sealed. None opens but those that were sealed.
func FuzzSealed(f *testing.F) {
	now := int64(testNow)
	id := testID(1)
	c, s := newCache(f, &now)
	for _, size := range []int{1, 100, ordinaryDER, 3000} {
		mustPut(f, c, originA, id, testDER(id, 0, max(size, 40)), now+10)
		var e Entry
		w := c.begin()
		w.lookup(0, id)
		if !s.Find(&w.key, &e) {
			f.Fatal("no entry")
		}
		f.Add(e.Expires, append([]byte{}, e.Sealed...))
		c.end(w)
	}
	f.Add(uint32(0), []byte{})
	f.Fuzz(func(t *testing.T, expires uint32, sealed []byte) {
		now := int64(testNow)
		c.now = func() int64 { return now }
		w := c.begin()
		w.lookup(0, id)
		key := w.key
		c.end(w)
		if err := s.Put(&key, sealed, expires, 0); err != nil {
			if err != ErrTooBig && err != ErrInvalid {
				t.Fatal(err)
			}
			return
		}
		if der, stored, ok := c.Get(originA, id, nil); ok {
			checkDER(t, id, der)
			if stored.Expires != int64(expires) {
				t.Errorf("expires %d, not %d", stored.Expires, expires)
			}
		}
		c.Remove(id, func(der []byte, _ Seal) bool {
			checkDER(t, id, der)
			return true
		})
	})
}
