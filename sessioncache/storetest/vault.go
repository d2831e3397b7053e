package storetest

import (
	"bytes"
	"errors"
	"testing"

	"gosess/sessioncache"
)

// secret is the n-th value of a record.
func secret(n int) []byte { return ID(n)[:sessioncache.MaxRecord] }

// mustRecord wants the values of a name.
func mustRecord(t testing.TB, c *sessioncache.Cache, name string, want ...[]byte) {
	t.Helper()
	got, err := c.Record(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d values of %q, not %d", len(got), name, len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i].Value, want[i]) {
			t.Fatalf("value %d of %q is another", i, name)
		}
	}
}

func mustAdd(t testing.TB, c *sessioncache.Cache, name string, value []byte, expires int64, want error) {
	t.Helper()
	if err := c.AddRecord(ctx, name, value, expires); !errors.Is(err, want) {
		t.Fatalf("AddRecord of %q: %v, not %v", name, err, want)
	}
}
