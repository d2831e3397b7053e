package window

import "testing"

func TestLogRead(t *testing.T) {
	w := newWindow(t)
	for _, c := range []struct{ set, want string }{
		{"", ""},
		{"1732660000000-0", "1732660000000-0"},
		{"18446744073709551615-18446744073709551615", "18446744073709551615-18446744073709551615"},
		{"0-1", "0-1"},
		{"anything", ""},
		{"7-", ""},
	} {
		w.SetLogRead(c.set)
		if got := again(t, w).LogRead(); got != c.want {
			t.Errorf("%q is %q", c.set, got)
		}
	}
	if n := w.Counter(CountHits); n != 0 {
		t.Errorf("it is where a counter is: %d", n)
	}
}
