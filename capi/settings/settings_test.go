package settings

import (
	"strings"
	"testing"
)

// This package says the same as the C half that it is made of.
func TestSettings(t *testing.T) {
	got, err := Parse("shm:/run/web?size=2m&keys=/etc/k")
	if want := (URL{Path: "/run/web", Keys: "/etc/k", Size: 2 << 20}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if _, err := Parse("shm:web"); err == nil || !strings.Contains(err.Error(), `"web"`) {
		t.Errorf("error %v", err)
	}
	for size, want := range map[uint64]string{64 << 20: "64m", 3 << 30: "3g", 5 << 10: "5k", 1000: "1000", 0: "0"} {
		if got := SizeText(size); got != want {
			t.Errorf("SizeText(%d) is %q", size, got)
		}
	}
}
