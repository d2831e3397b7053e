package shim_test

import "testing"

// Is a session with a client's certificate decoded once a worker, and its copy used only as long
// as the shared store has the session?
func TestCopies(t *testing.T) {
	for _, version := range versions {
		s := served(t, "copies", version, "bounded").run(t)
		s.wants(t, "some are kept")
		s.logs(t)
	}
	served(t, "copies", "references").run(t).wants(t, "removed: 1", "0 left")
	served(t, "copies", "objects").run(t).wants(t, "with a certificate: one object", "without: two objects")
	served(t, "copies", "elsewhere").run(t).wants(t, "resumed", "resumed", "removed elsewhere: full")
}
