package serve

import (
	"encoding/binary"
	"testing"

	"gosess/agent/internal/far"
)

// TestGoneIsBounded: of more removals than there is room for each still counts, and those of other machines as theirs.
func TestGoneIsBounded(t *testing.T) {
	for _, theirs := range []bool{false, true} {
		testGoneIsBounded(t, theirs)
	}
}

func testGoneIsBounded(t *testing.T, theirs bool) {
	var g gone
	keys := make([]far.Key, 3*mostGone)
	for i := range keys {
		binary.LittleEndian.PutUint32(keys[i][:], uint32(i))
	}
	for at := 0; at < len(keys); at += far.MaxKeys {
		g.remove(keys[at:at+far.MaxKeys], theirs)
	}
	if len(g.keys) > mostGone {
		t.Errorf("%d are kept", len(g.keys))
	}
	for i := range keys {
		if !g.has(keys[i]) {
			t.Fatalf("removal %d is forgotten", i)
		}
		if g.isTheirs(keys[i]) != theirs {
			t.Fatalf("removal %d is another machine's: %v", i, !theirs)
		}
	}
}
