package beat

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestUntil has three that do something every second and every half: they do it together, whenever they have begun.
func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin = time.Now()
		moments := map[time.Duration]int{}
		for i, period := range []time.Duration{time.Second, time.Second, time.Second / 2} {
			time.Sleep(time.Duration(i) * 130 * time.Millisecond)
			for range 4 {
				left := Until(period)
				if left <= 0 || left > period {
					t.Errorf("%v until the end of %v", left, period)
				}
				time.Sleep(left)
				moments[time.Since(begin)%time.Second]++
			}
		}
		if len(moments) != 2 || moments[0] != 10 {
			t.Errorf("moments: %v", moments)
		}
	})
}
