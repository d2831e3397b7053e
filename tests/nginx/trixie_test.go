package nginx_test

import (
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// system is whose nginx the tests start: this machine's, but in TestTrixie.
var system = harness.TestedSystem()

// All tests with nginx, libssl and the C library of the next Debian, but for some.
func TestTrixie(t *testing.T) {
	versions.Trixie(t).RunAll(t, map[string]string{
		"TestAddressSanitizer":     "the sanitizers are this machine's",
		"TestFullTmpfs":            "what is mounted there is the kernel's, which is the same",
		"TestPage":                 "gosess run and gosess stats are this machine's",
		"TestStartIsMeasured":      "it asserts nothing",
		"TestOtherToolsSeeTickets": "what they see is the same, and they take long",
		"TestValgrind":             "valgrind is this machine's",
	})
}
