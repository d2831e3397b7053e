package shm

import (
	"encoding/binary"
	"errors"
	"testing"

	"gosess/sessioncache"
	"gosess/sessioncache/storetest"
)

// FuzzHeader opens stores with any header.
func FuzzHeader(f *testing.F) {
	header := newMapping(MinSize)[:HeaderSize]
	f.Add(header)
	f.Add(header[:10])
	f.Add([]byte{})
	mapping := newMapping(MinSize)
	f.Fuzz(func(t *testing.T, header []byte) {
		clear(mapping[:HeaderSize])
		copy(mapping[:HeaderSize], header)
		s, err := Open(mapping)
		if err == nil {
			s.stats()
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
	pristine := newMapping(MinSize)
	s := openShm(f, pristine)
	f.Add([]byte{})
	for _, at := range []int{
		recordsAt, recordSlot(0), recordSlot(1), s.workersAt, firstSet + setLock, firstSet + setClock, firstSet + setGeneration,
		firstSet + setPlace, firstSet + setHints, s.slot(firstSet, 0), s.slot(firstSet, 0) + ofSlot, s.data(firstSet),
	} {
		f.Add(append(patch(uint32(at*wordSize), 1), patch(uint32(at*wordSize+6), 0xffff)...))
	}
	now := int64(testNow)
	c := testCache(f, s, &now)
	for n := range ids {
		mustPut(f, c, originA, testID(n), testDER(testID(n), 0, 100+n), now+10)
	}
	later := inEachSet(f, s, ids, 3)
	mending := inEachSet(f, s, -1<<20, 1) // all of a set is looked at where one large entry comes, and another
	more := inEachSet(f, s, -1<<21, 1)
	mapping := newMapping(MinSize)
	f.Fuzz(func(t *testing.T, patches []byte) {
		copy(mapping[HeaderSize:], pristine[HeaderSize:])
		for ; len(patches) >= 6; patches = patches[6:] {
			at := HeaderSize + binary.LittleEndian.Uint32(patches)%(MinSize-HeaderSize-1)
			copy(mapping[at:at+2], patches[4:6])
		}
		s := openShm(t, mapping)
		s.patience = 0 // a lock that means nothing may stand anywhere
		c := testCache(t, s, &now)
		for n := range ids {
			if der, _, ok := c.Get(ctx, originA, testID(n), nil); ok {
				checkDER(t, testID(n), der)
			}
		}
		c.Remove(ctx, testID(0), func(der []byte, _ sessioncache.Seal) bool {
			checkDER(t, testID(0), der)
			return true
		})
		for _, n := range later {
			mustPut(t, c, originA, testID(n), testDER(testID(n), 0, 100+n), now+10)
			mustGet(t, c, originA, testID(n), testDER(testID(n), 0, 100+n))
		}
		s.stats()
		for i := range mending {
			for _, id := range [][]byte{testID(mending[i]), testID(more[i])} {
				mustPut(t, c, originA, id, testDER(id, 0, 3000+i), now+10)
				mustGet(t, c, originA, id, testDER(id, 0, 3000+i))
			}
		}
		checkStore(t, s)
	})
}

// FuzzSealed looks up entries of any bytes: four of them are the expiry, the rest what is
// sealed. None opens but those that were sealed.
func FuzzSealed(f *testing.F) {
	now := int64(testNow)
	id := testID(1)
	c, s := newCache(f, &now)
	keyOf, _ := storetest.LookupKeys(f, s)
	key := keyOf(id)
	for _, size := range []int{1, 100, ordinaryDER, 3000} {
		mustPut(f, c, originA, id, testDER(id, 0, max(size, 40)), now+10)
		var e sessioncache.Entry
		if !find(s, &key, &e) {
			f.Fatal("no entry")
		}
		f.Add(e.Expires, e.Sealed)
	}
	f.Add(uint32(0), []byte{})
	f.Fuzz(func(t *testing.T, expires uint32, sealed []byte) {
		if err := s.Put(ctx, &key, sealed, expires, 0); err != nil {
			if err != sessioncache.ErrTooBig && err != sessioncache.ErrInvalid {
				t.Fatal(err)
			}
			return
		}
		if der, stored, ok := c.Get(ctx, originA, id, nil); ok {
			checkDER(t, id, der)
			if stored.Expires != int64(expires) {
				t.Errorf("expires %d, not %d", stored.Expires, expires)
			}
		}
		c.Remove(ctx, id, func(der []byte, _ sessioncache.Seal) bool {
			checkDER(t, id, der)
			return true
		})
	})
}
