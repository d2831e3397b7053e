package harness

import "testing"

// How much may be missing of what the store says that it had no time for?
func TestHowMuchMayBeLost(t *testing.T) {
	for _, test := range []struct {
		sessions, attempts, resumed int
		counted                     uint64
		want                        bool
	}{
		{20, 100, 95, 1, true}, // one session, five times
		{20, 100, 94, 2, false},
		{20, 100, 99, 0, false},
		{4, 8, 6, 1, true},
		{4, 4, 2, 2, false},
		{200, 400, 392, 4, true},
		{200, 400, 392, 3, false},
		{200, 400, 390, 9, false},
		{0, 10, 9, 1, false},
	} {
		r := Result{Sessions: test.sessions, Attempts: test.attempts, Resumed: test.resumed}
		if got := lost(r, test.counted); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
