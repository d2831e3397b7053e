package shim_test

import (
	"strings"
	"testing"
)

// Does everything that proc(5) and the getters show of a host stay as it was, but for the two
// handlers that Go hands on, whatever the host has set, after the first handshake and after a
// hundred, and in a thread?
func TestStateIsKept(t *testing.T) {
	// The masks of /proc/thread-self/status, by line, are the same two signals once more.
	handed := []string{"signal 7", "signal 11"}
	caught, ignored := "/proc/thread-self/status SigCgt", "/proc/thread-self/status SigIgn"
	for scenario, other := range map[string][]string{
		"unset":     append(handed, caught),
		"untouched": append(handed, caught),
		"ignored":   append(handed, ignored, caught),
		"handled":   handed,
	} {
		for _, cache := range []string{"memory:", "shm:?size=1m"} {
			var want []string
			for _, when := range []string{"first", "hundred"} {
				for _, what := range other {
					want = append(want, when+": "+what)
				}
			}
			t.Run(scenario+" "+cache, func(t *testing.T) {
				plain(t, "state", scenario).run(t).wants(t, "served", "served", "served")
				h := served(t, "state", scenario)
				h.cache = cache
				s := h.run(t)
				s.wants(t, strings.Split(strings.Join(want[:len(other)], "\n")+"\nserved\n"+
					strings.Join(want[len(other):], "\n")+"\nserved\nserved", "\n")...)
				s.logs(t)
			})
		}
	}
}

// Does nothing come to lie on the first three descriptors where a host runs without them, so that
// it can put its own there at any time?
func TestStandardDescriptors(t *testing.T) {
	for _, cache := range []string{"memory:", "shm:?size=1m"} {
		h := served(t, "descriptors", "no-standard")
		h.cache = cache
		h.run(t).wants(t, "left alone, resumed")
	}
	h := served(t, "descriptors", "standard-meanwhile")
	h.env = []string{"GOSESS_CORE=" + standIn(t, "late", "-DSECONDS=3")}
	h.run(t).wants(t, "as if closed, 0 closed, 1 open, 2 closed")
}
