package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"gosess/sessioncache"
)

var ctx = context.Background()

const (
	OrdinaryDER = 137        // bytes: TLS 1.3, no client certificate
	Now         = 1700000000 // a time
)

// Two contexts of one owner.
var (
	OriginA = sessioncache.Origin{Owner: [32]byte{'a'}, Terms: [32]byte{'a'}, ServerName: "a.example"}
	OriginB = sessioncache.Origin{Owner: [32]byte{'a'}, Terms: [32]byte{'b'}, ServerName: "a.example"}
)

// Key is the n-th sealing key.
func Key(n byte) []byte { return bytes.Repeat([]byte{n}, sessioncache.KeySize) }

// Open opens one store once more, as another process does.
type Open func(t testing.TB) sessioncache.Store

// Empty makes a store that holds nothing yet, and has room for two thousand ordinary sessions and a few
// of the largest: until then nothing makes way.
type Empty func(t testing.TB) Open

// Cache makes a cache over a store, with a clock that stands at *now where that is not nil, and the first
// key where none is given.
func Cache(t testing.TB, store sessioncache.Store, now *int64, keys ...[]byte) *sessioncache.Cache {
	t.Helper()
	if len(keys) == 0 {
		keys = [][]byte{Key(1)}
	}
	c, err := sessioncache.New(store, keys)
	if err != nil {
		t.Fatal(err)
	}
	if now != nil {
		c.SetClock(func() int64 { return *now })
	}
	return c
}

// newCache is a cache over an empty store.
func newCache(t testing.TB, empty Empty, now *int64, keys ...[]byte) (*sessioncache.Cache, sessioncache.Store) {
	t.Helper()
	s := empty(t)(t)
	return Cache(t, s, now, keys...), s
}

// ID is the n-th session id.
func ID(n int) []byte {
	id := sha256.Sum256(fmt.Appendf(nil, "id %d", n))
	return id[:]
}

// DER is a session of some size that says whose it is, in which version, and
// cannot be pieced together from others.
func DER(id []byte, version uint32, size int) []byte {
	der := binary.BigEndian.AppendUint32(nil, version)
	der = append(der, id...)
	block := sha256.Sum256(der)
	for len(der) < size {
		der = append(der, block[:]...)
		block = sha256.Sum256(block[:])
	}
	return der[:size]
}

// CheckDER fails unless der is what DER made for id, and returns the version.
func CheckDER(t testing.TB, id, der []byte) (version uint32) {
	t.Helper()
	if len(der) < 4+len(id) {
		t.Fatalf("a session of %d bytes came back", len(der))
	}
	version = binary.BigEndian.Uint32(der)
	if !bytes.Equal(der, DER(id, version, len(der))) {
		t.Fatalf("wrong data came back for id %x", id)
	}
	return version
}

// Put stores a session, or the test fails.
func Put(t testing.TB, c *sessioncache.Cache, o sessioncache.Origin, id, der []byte, expires int64) {
	t.Helper()
	if _, err := c.Put(ctx, o, sessioncache.Session{ID: id, DER: der, Expires: expires}); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

// Get finds a session, or the test fails.
func Get(t testing.TB, c *sessioncache.Cache, o sessioncache.Origin, id, want []byte) {
	t.Helper()
	got, _, ok := c.Get(ctx, o, id, nil)
	if !ok {
		t.Fatalf("Get of %x is a miss", id)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("Get of %x is not what was put", id)
	}
}

// Miss finds no session, or the test fails.
func Miss(t testing.TB, c *sessioncache.Cache, o sessioncache.Origin, id []byte) {
	t.Helper()
	dst := []byte("dst")
	if got, _, ok := c.Get(ctx, o, id, dst); ok || !bytes.Equal(got, dst) {
		t.Fatalf("Get of %x is a hit", id)
	}
}

// LookupKeys returns a function that tells the lookup key of a session id, and one that tells that of a route,
// in a store and under the first key.
func LookupKeys(t testing.TB, store sessioncache.Store) (session func(id []byte) sessioncache.LookupKey, route func(owner [32]byte, name string) sessioncache.LookupKey) {
	n := &noting{Store: store}
	c := Cache(t, n, nil)
	session = func(id []byte) sessioncache.LookupKey {
		c.Has(ctx, [32]byte{}, id, func([]byte, sessioncache.Seal) bool { return false })
		return n.key
	}
	route = func(owner [32]byte, name string) sessioncache.LookupKey {
		c.Route(ctx, owner, name)
		return n.key
	}
	return session, route
}

// noting notes what is looked up, and finds nothing.
type noting struct {
	sessioncache.Store
	key sessioncache.LookupKey
}

func (n *noting) Find(_ context.Context, key *sessioncache.LookupKey, _ *sessioncache.Entry) (bool, error) {
	n.key = *key
	return false, nil
}
