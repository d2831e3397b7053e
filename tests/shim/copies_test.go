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
	served(t, "copies", "--tls1.3", "ciphers").run(t).wants(t, "resumed with its own", "resumed with its own")
	for _, version := range versions {
		for _, h := range []host{plain(t, "copies", version, "changed"), served(t, "copies", version, "changed")} {
			h.run(t).wants(t, "for a moment: resumed", "for good: full")
		}
		h := served(t, "copies", version, "chain")
		h.second = true // it switches caches off, too
		h.run(t).wants(t,
			"full, 21 certificates are left of it, 20 come again", "0 after the context",
			"full, 0 certificates are left of it, 0 come again", "1 after the context")
	}
	served(t, "copies", "elsewhere").run(t).wants(t, "resumed", "resumed", "removed elsewhere: full")
}
