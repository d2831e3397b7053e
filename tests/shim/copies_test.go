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
	served(t, "copies", "objects").run(t).wants(t, "two objects, one certificate")
	served(t, "copies", "--tls1.2", "changed").run(t).wants(t, "resumed")
	served(t, "copies", "--tls1.3", "ciphers").run(t).wants(t, "resumed with its own", "resumed with its own")
	served(t, "copies", "changed").run(t).wants(t, "resumed")
	for _, version := range versions {
		served(t, "copies", version, "chain").run(t).wants(t, "full", "0 certificates are left of it")
	}
	served(t, "copies", "elsewhere").run(t).wants(t, "resumed", "resumed", "removed elsewhere: full")
}
