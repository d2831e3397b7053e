package shim_test

import "testing"

// Is a host left to libssl whose processes share OpenSSL's objects, and one served that has memory
// functions of its own for other reasons?
func TestSharedObjects(t *testing.T) {
	want := []string{"full, resumed", "full, resumed", "full, resumed", "full, resumed", "full, resumed", "full, resumed", "at the end: not loaded, 1 thread"}
	plain(t, "shared", "shared").run(t).wants(t, want...)
	s := served(t, "shared", "shared").run(t)
	s.wants(t, want...)
	s.logs(t, "in memory that its processes share")
	for _, scenario := range []string{"own-arena", "own-functions"} {
		s := served(t, "shared", scenario).run(t)
		s.wants(t, "full, resumed", "at the end: loaded, threads")
		s.logs(t)
	}
}
