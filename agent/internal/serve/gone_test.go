package serve

import (
	"encoding/binary"
	"testing"

	"gosess/agent/internal/far"
)

// TestGoneIsBounded: of more removals than there is room for each still counts.
func TestGoneIsBounded(t *testing.T) {
	var g gone
	keys := make([]far.Key, 3*mostGone)
	for i := range keys {
		binary.LittleEndian.PutUint32(keys[i][:], uint32(i))
	}
	for at := 0; at < len(keys); at += far.MaxKeys {
		g.remove(keys[at:at+far.MaxKeys], false)
	}
	if len(g.keys) > mostGone {
		t.Errorf("%d are kept", len(g.keys))
	}
	for i := range keys {
		if !g.has(keys[i]) {
			t.Fatalf("removal %d is forgotten", i)
		}
	}
}
