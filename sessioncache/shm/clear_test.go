package shm

import (
	"bytes"
	"strings"
	"testing"

	"gosess/sessioncache"
)

// TestNothingInTheClear looks for what must not leave the process.
func TestNothingInTheClear(t *testing.T) {
	mapping := newMapping(MinSize)
	c := testCache(t, openShm(t, mapping), nil)
	o := sessioncache.Origin{
		Owner: [32]byte(bytes.Repeat([]byte("OWNER..!"), 4)), Terms: [32]byte(bytes.Repeat([]byte("TERMS..!"), 4)),
		ServerName: "secret.example.org",
	}
	id := []byte("the id of the session, 32 bytes.")
	der := []byte(strings.Repeat("the master secret ", 8))
	mustPut(t, c, o, id, der, 1<<32-2)
	c.Learn(ctx, o.Owner, o.ServerName, o.Terms)
	for _, secret := range [][]byte{o.Owner[:8], o.Terms[:8], []byte("secret.e"), id[:8], der[:8], testKey(1)[:8]} {
		if bytes.Contains(mapping, secret) {
			t.Errorf("the mapping holds %q", secret)
		}
	}
	mustGet(t, c, o, id, der)
}
