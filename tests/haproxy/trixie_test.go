package haproxy_test

import (
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// system is whose HAProxy the tests start: this machine's, but in TestTrixie.
var system = harness.TestedSystem()

// All tests with HAProxy, libssl and the C library of the next Debian, but for some.
func TestTrixie(t *testing.T) {
	versions.Trixie(t).RunAll(t, map[string]string{
		"TestAddressSanitizer": "the sanitizers are this machine's",
		"TestPage":             "gosess run and gosess stats are this machine's",
		"TestValgrind":         "valgrind is this machine's",
	})
}
