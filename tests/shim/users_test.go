package shim_test

import (
	"strings"
	"testing"
)

// Does a host that changes its user get what it would have had, with one thread and with many,
// capabilities kept and dropped? And is no thread of the Go half more than the host then?
func TestUsers(t *testing.T) {
	needRoot(t)
	for _, scenario := range []string{
		"ordinary", "kept", "kept-before", "swapped", "given-up", "no-capabilities", "in-chroot",
		"in-children", "with-threads", "at-once",
	} {
		t.Run(scenario, func(t *testing.T) {
			chroot := "TEST_ROOT=" + open(t)
			alone, h := plain(t, "users", scenario), served(t, "users", scenario)
			alone.env, h.env = []string{chroot}, []string{chroot}
			want := strings.Split(strings.TrimSuffix(alone.run(t).out, "\n"), "\n")
			s := h.run(t)
			s.wants(t, want...)
			s.logs(t)
		})
	}
}
