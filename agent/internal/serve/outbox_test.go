package serve

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

func numbered(kind window.Kind, i int) (item window.Item) {
	item.Kind = kind
	binary.LittleEndian.PutUint64(item.Key[:], uint64(i))
	return item
}

// addAll adds news as it is read: some at a time.
func addAll(t *testing.T, o *outbox, items []window.Item) {
	t.Helper()
	for ; len(items) > 0; items = items[min(256, len(items)):] {
		if o.add(items[:min(256, len(items))]); o.length() > mostItems {
			t.Fatalf("%d pieces of news", o.length())
		}
	}
}

// TestRoomForRemovals: what was stored makes way for removals, whatever came first, and not the other way round.
func TestRoomForRemovals(t *testing.T) {
	const all = 4 * mostItems
	for name, removed := range map[string]func(i int) bool{
		"first":    func(i int) bool { return i < mostRemovals },
		"last":     func(i int) bool { return i >= all-mostRemovals },
		"by turns": func(i int) bool { return i%(all/mostRemovals+1) == 0 },
	} {
		o := newOutbox()
		var items []window.Item
		var removals []sessioncache.LookupKey
		for i := range all {
			item := numbered(window.Stored, i)
			if removed(i) {
				item.Kind = window.Removed
				removals = append(removals, item.Key)
			}
			items = append(items, item)
		}
		addAll(t, o, items)
		for _, key := range removals {
			if !o.isRemoved(key) {
				t.Fatalf("%s: of %d removals one is lost, though there is room for %d", name, len(removals), mostRemovals)
			}
		}
		if lost := int(o.takeLost()); lost != all-o.length() {
			t.Errorf("%s: %d are lost, and %d are there", name, lost, o.length())
		}
	}
	o := newOutbox()
	var items []window.Item
	for i := range mostItems + 1 {
		items = append(items, numbered(window.Removed, i))
	}
	addAll(t, o, items)
	if !o.isRemoved(items[mostItems].Key) || o.isRemoved(items[0].Key) || o.length() < mostRemovals/2 {
		t.Errorf("of too many removals it is not the oldest that go, or too many: %d are left", o.length())
	}
}

// TestHeldBack: what may not be told now stays, with all that comes after it of the same key, and is told in order later.
func TestHeldBack(t *testing.T) {
	o := newOutbox()
	const stored, removed = window.Stored, window.Removed
	o.add([]window.Item{numbered(stored, 1), numbered(stored, 2), numbered(removed, 1), numbered(stored, 3), numbered(stored, 1), numbered(stored, 4)})
	held := map[sessioncache.LookupKey]bool{numbered(0, 2).Key: true}
	asked := 0
	may := func(item *window.Item) bool {
		asked++
		return !held[item.Key] && (item.Kind != removed || len(held) == 0)
	}
	next := func(room int, want ...window.Item) []window.Item {
		t.Helper()
		got := o.next(make([]window.Item, 0, room), may)
		if !slices.Equal(got, want) {
			t.Errorf("next: %v; wanted %v", got, want)
		}
		return got
	}
	next(1, numbered(stored, 1))
	o.done(nil)
	next(8, numbered(stored, 3), numbered(stored, 4))
	o.add([]window.Item{numbered(stored, 5)})
	o.done([]window.Item{numbered(stored, 3)})
	asked = 0
	next(8, numbered(stored, 3), numbered(stored, 5))
	if asked != 2 {
		t.Errorf("%d were looked at: what is held back is not to be, each time", asked)
	}
	o.done([]window.Item{numbered(stored, 3)})
	clear(held)
	o.release()
	next(8, numbered(stored, 2), numbered(removed, 1), numbered(stored, 1), numbered(stored, 3))
	o.done(nil)
	if first := numbered(0, 1); o.length() != 0 || o.isRemoved(first.Key) || len(o.stored) != 0 {
		t.Errorf("%d are left, %v, %v", o.length(), o.stored, o.removed)
	}
}

// TestEndedMakesWay: nothing is lost where what has ended leaves room, and nobody is told of a removal of what has ended.
func TestEndedMakesWay(t *testing.T) {
	o := newOutbox()
	now := uint32(time.Now().Unix())
	var items []window.Item
	for i := range mostItems + 1 {
		item := numbered(window.Removed, i)
		switch i % 4 {
		case 0:
			item.Kind, item.Expires = window.Stored, now
		case 1:
			item.Expires = now - sessioncache.Heard/2 // by the clock of another machine it has not, perhaps
		case 2, 3:
			item.Expires = now - 2*sessioncache.Heard
		}
		items = append(items, item)
	}
	addAll(t, o, items)
	for i, item := range items {
		switch {
		case i%4 == 0 && !o.isStored(item.Key), i%4 == 1 && !o.isRemoved(item.Key):
			t.Fatalf("%d is lost", i)
		case i%4 >= 2 && o.isRemoved(item.Key):
			t.Fatalf("%d is kept", i)
		}
	}
	if lost := o.takeLost(); lost != 0 {
		t.Errorf("%d are lost", lost)
	}
}
