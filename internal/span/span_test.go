package span

import (
	"math"
	"testing"
)

func TestSpan(t *testing.T) {
	for seconds, want := range map[int64][2]string{
		-5: {"0s", "0 seconds"}, 0: {"0s", "0 seconds"}, 1: {"1s", "1 second"}, 119: {"119s", "119 seconds"}, 120: {"2m", "2 minutes"},
		7199: {"119m", "119 minutes"}, 7200: {"2h", "2 hours"}, 172799: {"47h", "47 hours"}, 172800: {"2d", "2 days"},
		math.MinInt64: {"0s", "0 seconds"}, math.MaxInt64: {"106751991167300d", "106751991167300 days"},
	} {
		if got := [2]string{Short(seconds), Words(seconds)}; got != want {
			t.Errorf("%d: %q, not %q", seconds, got, want)
		}
	}
}
