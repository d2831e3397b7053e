package sessioncache

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// testKey is a sealing key.
var testKey = bytes.Repeat([]byte{1}, KeySize)

// testID is the n-th session id.
func testID(n byte) []byte { return bytes.Repeat([]byte{n}, MaxID) }

// TestNonces seals the same session often and in several processes' names.
func TestNonces(t *testing.T) {
	k, err := newSealingKey(testKey, StoreID{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	w := &work{keys: []*sealingKey{k}}
	for range 2 * knownMax {
		s, err := newSealer(&k.derivation)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.text = append(w.text[:0], "der"...)
			if err := s.seal(w, Tag{}, 1); err != nil {
				t.Fatal(err)
			}
			if seal := string(w.entry.Sealed[tagSize:sealedHead]); seen[seal] {
				t.Fatal("a nonce came twice")
			} else {
				seen[seal] = true
			}
		}
		w.entry.Expires = 1
		if der := k.open(w); string(der) != "der" {
			t.Fatal("does not open")
		}
		if p := prefix(w.entry.Sealed[tagSize:]); k.aeadOf(&p) == nil {
			t.Fatal("its derived key is not kept")
		}
	}
	kept := 0
	for i := range k.known {
		if k.known[i].Load() != nil {
			kept++
		}
	}
	if kept < knownMax/2 {
		t.Errorf("of %d derived keys %d are kept", 2*knownMax, kept)
	}

	s, _ := newSealer(&k.derivation)
	s.run.Load().counter.Store(1<<(8*counterSize) - 1)
	if err := s.seal(w, Tag{}, 1); err != ErrCounter {
		t.Errorf("after the last count: %v", err)
	}
}

// single is a store that keeps one entry.
type single struct {
	Store // what is not below is not called
	key   LookupKey
	entry Entry
}

func (*single) ID() StoreID { return StoreID{} }

func (*single) Count(Counter) {}

func (*single) Row(Tag, string, int64) Row { return 0 }

func (*single) CountFor(Row, Counter, int64) {}

func (*single) Time(Operation, time.Duration) {}

func (s *single) Put(_ context.Context, key *LookupKey, sealed []byte, expires, _ uint32) error {
	s.key, s.entry = *key, Entry{Sealed: bytes.Clone(sealed), Expires: expires, Handle: Handle{1}}
	return nil
}

func (s *single) Find(_ context.Context, key *LookupKey, e *Entry) (bool, error) {
	if *key != s.key {
		return false, nil
	}
	sealed := append(e.Sealed[:0], s.entry.Sealed...)
	*e = s.entry
	e.Sealed = sealed
	return true, nil
}

// TestScratchIsWiped looks for a session in the memory that the operations of a cache have used.
func TestScratchIsWiped(t *testing.T) {
	c, err := New(&single{}, [][]byte{testKey})
	if err != nil {
		t.Fatal(err)
	}
	der := []byte(strings.Repeat("the master secret ", 8))
	if _, err := c.Put(context.Background(), Origin{}, Session{ID: testID(1), DER: der, Expires: 1<<32 - 2}); err != nil {
		t.Fatal(err)
	}
	used := false // under the race detector a pool may forget what it has
	for range 50 {
		w := c.begin()
		used = used || cap(w.entry.Sealed) > len(der)
		for _, buffer := range [][]byte{w.text, w.entry.Sealed} {
			if bytes.Contains(buffer[:cap(buffer)], der[:8]) {
				t.Error("scratch memory keeps the session")
			}
		}
		c.end(w)
		if got, _, ok := c.Get(context.Background(), Origin{}, testID(1), nil); !ok || !bytes.Equal(got, der) {
			t.Fatal("it is not found")
		}
	}
	if !used {
		t.Error("no scratch memory was used")
	}
}

func TestKeys(t *testing.T) {
	for _, keys := range [][][]byte{nil, {}, {nil}, {make([]byte, 31)}, {testKey, make([]byte, 33)}} {
		if _, err := New(&single{}, keys); err != ErrKeys {
			t.Errorf("New with keys %v: %v", keys, err)
		}
	}
}
