package shm

import (
	"bytes"
	"testing"

	"gosess/sessioncache"
)

// What one machine of a fleet has sealed opens on another one under the lookup key that it has there; and not
// with another key file, nor in a store of no fleet.
func TestFleetSharesEntries(t *testing.T) {
	now := int64(testNow)
	first, second, alone := openShm(t, newFleetMapping()), openShm(t, newFleetMapping()), openShm(t, newMapping(MinSize))
	a, b := testCache(t, first, &now, testKey(1)), testCache(t, second, &now, testKey(2), testKey(1))
	mustPut(t, a, originA, testID(1), testDER(testID(1), 0, ordinaryDER), now+100)

	var e sessioncache.Entry
	key := a.Keys(testID(1), nil)[0]
	if !first.Look(&key, &e) {
		t.Fatal("it is not where it should be")
	}
	elsewhere := b.Keys(testID(1), nil)
	if len(elsewhere) != 2 || elsewhere[1] != key || elsewhere[0] == key {
		t.Fatal("the other machine looks for it elsewhere")
	}
	carry := func(to *Store) {
		if err := to.Put(ctx, &key, bytes.Clone(e.Sealed), e.Expires, uint32(now)); err != nil {
			t.Fatal(err)
		}
	}
	mustMiss(t, b, originA, testID(1))
	carry(second)
	mustGet(t, b, originA, testID(1), testDER(testID(1), 0, ordinaryDER))

	carry(alone)
	mustMiss(t, testCache(t, alone, &now, testKey(1)), originA, testID(1))
	third := openShm(t, newFleetMapping())
	carry(third)
	mustMiss(t, testCache(t, third, &now, testKey(3)), originA, testID(1))
	mustGet(t, testCache(t, third, &now, testKey(1)), originA, testID(1), testDER(testID(1), 0, ordinaryDER))

	if err := a.AddRecord(ctx, recordName, recordValue(1), now+100); err != nil {
		t.Fatal(err)
	}
	first.EachRecord(uint32(now), func(key *sessioncache.LookupKey, e *sessioncache.Entry) {
		if err := second.AddRecord(ctx, key, e.Sealed, e.Expires, uint32(now)); err != nil {
			t.Fatal(err)
		}
	})
	if got := recordOf(t, b, recordName); !bytes.Equal(got, recordValue(1)) {
		t.Errorf("the record on the other machine is %q", got)
	}
}
