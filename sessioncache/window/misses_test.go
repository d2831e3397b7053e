package window

import (
	"testing"
	"time"
)

func TestMisses(t *testing.T) {
	w := newWindow(t)
	a, b := keyOf(1), keyOf(2)
	check := func(name string, wantA, wantB bool) {
		t.Helper()
		if w.IsMiss(&a) != wantA || w.IsMiss(&b) != wantB {
			t.Errorf("%s: %v and %v", name, !wantA, !wantB)
		}
	}
	check("as it is made", false, false)
	w.NoteMiss(&a, 30*time.Second)
	check("one noted", true, false)
	w.NoteMiss(&b, 30*time.Second)
	check("both noted", true, true)
	w.ForgetMiss(&a)
	check("one forgotten", false, true)
	w.NoteMiss(&b, 0)
	check("the other is over", false, false)
	at, note := missAt(&a)
	w.u64(at).Store(note | uint64(Now()/1e9+1e6)&missTimes)
	check("longer than a note holds", false, false)
}

// Another key at the same place takes it, and is not taken for it.
func TestMissesAtOnePlace(t *testing.T) {
	w := newWindow(t)
	a := keyOf(1)
	b := a
	b[15]++
	w.NoteMiss(&a, 30*time.Second)
	if w.IsMiss(&b) {
		t.Error("another key at the same place is a miss")
	}
	w.ForgetMiss(&b)
	if !w.IsMiss(&a) {
		t.Error("another key was forgotten")
	}
	w.NoteMiss(&b, 30*time.Second)
	if w.IsMiss(&a) || !w.IsMiss(&b) {
		t.Error("the last one does not have the place")
	}
}
