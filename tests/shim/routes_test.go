package shim_test

import "testing"

// Does a process keep what a name leads to for as long as the store says the same, whatever names clients make up; under
// sanitizers?
func TestRoutesOfAProcess(t *testing.T) {
	for _, name := range []string{"gcc address", "gcc thread"} {
		s := sanitizers[name]
		h := s.host(t, s.core(t, ""), "routes")
		h.run(t).wants(t,
			"before: 0", "known: 1, until its end: 1, after it: 0", "in capitals: 1", "another name: 0", "another generation: 0",
			"another place: 0", "another owner: 0", "after some uses of the set: 1", "after more: 0", "changed in the store: 0",
			"too long: 0", "the good one is found 81 times of 81", "each finds its own")
	}
}
