package remote

import (
	"fmt"
	"strings"
	"testing"

	"gosess/agent/internal/far"
	"gosess/agent/internal/testredis"
)

// TestMemoryOfASession is what docs/fleet.md states.
func TestMemoryOfASession(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitUp()
	const count = 1 << 14
	used := func() (bytes int) {
		_, after, _ := strings.Cut(redis.CLI("INFO", "memory"), "used_memory_dataset:")
		_, err := fmt.Sscan(after, &bytes)
		_, all, _ := strings.Cut(redis.CLI("INFO", "memory"), "used_memory:")
		if err == nil {
			_, err = fmt.Sscan(all, &bytes)
		}
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	before := used()
	sealed := strings.Repeat("s", 192) // 152 bytes of DER, sealed: the largest plain session
	for i := 0; i < count; i += 256 {
		ops := make([]far.Op, 256)
		for j := range ops {
			ops[j] = far.Op{Kind: far.Put, Key: keyOf(i + j), Entry: entry(sealed, 1000)}
		}
		m.Do(ops)
	}
	each := (used() - before) / count
	t.Logf("a session takes %d bytes", each)
	if each > 400 {
		t.Errorf("a session takes %d bytes", each)
	}
}
