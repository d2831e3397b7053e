package shim_test

import (
	"os/exec"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// Does the C half lose memory or read what was never written? Only what is lost for certain counts.
func TestValgrind(t *testing.T) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		t.Skip("valgrind is not installed")
	}
	core := standIn(t, "memory")
	type under struct{ program, scenarios string }
	for _, test := range harness.Few(1, []under{
		{"references", "errors want-read"},
		{"chained", ""},
		{"threads", "threads async-job"},
		{"tickets", "bound left-alone renewed early-names late-names"},
		{"lasting", "chain"},
	}) {
		t.Run(test.program, func(t *testing.T) {
			t.Parallel()
			h := served(t, test.program)
			h.second = test.program != "tickets" && test.program != "lasting" // to those that have a cache of their own
			arguments := []string{"-q", "--leak-check=full", "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite", "--error-exitcode=99", h.path, "--tls1.3"}
			h.path, h.arguments = valgrind, append(arguments, strings.Fields(test.scenarios)...)
			h.env = []string{"GOSESS_CORE=" + core, "TIMES=10", "GOSESS_TICKETS=shared"} // of those programs that have tickets
			if s := h.run(t); strings.Contains(s.stderr, "==") {
				t.Error(s.stderr)
			}
		})
	}
}
