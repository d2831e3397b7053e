package remote

import "testing"

// TestSlots has the examples of the specification of clusters, and of CLUSTER KEYSLOT.
func TestSlots(t *testing.T) {
	for name, want := range map[string]int{"123456789": 0x31c3 % slots, "foo": 12182, "": 0} {
		if got := slotOf(name); got != want {
			t.Errorf("%q is in slot %d, not %d", name, got, want)
		}
	}
	if slotOf("{user1000}.following") != slotOf("user1000") || slotOf("foo{}{bar}") == slotOf("bar") || slotOf("foo{{bar}}zap") != slotOf("{bar") {
		t.Error("braces")
	}
}
