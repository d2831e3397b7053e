package shim_test

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Does a debug build end the process where locks are taken out of order, or the host is called with one? Does no child
// find a lock taken, or wait for what a thread of its parent was doing?
func TestLocks(t *testing.T) {
	program := workshop.Compile(t, "locks", "cc", "-DGOSESS_DEBUG", "tests/shim/plain/locks.c", "shim/base/locks.c", "shim/base/once.c",
		"shim/base/fork.c", "-lpthread")
	for _, test := range []struct{ scenario, says string }{
		{"in-order", ""},
		{"out-of-order", "out of order"},
		{"twice", "out of order"},
		{"host", "the host, is called"},
		{"forked", ""},
		{"once", ""},
		{"once-and-fork", ""},
		{"cancelled", ""},
	} {
		t.Run(test.scenario, func(t *testing.T) {
			t.Parallel()
			output, err := exec.Command(program, test.scenario).CombinedOutput()
			if test.says == "" {
				if err != nil || string(output) != "done\n" {
					t.Fatalf("%v: %s", err, output)
				}
				return
			}
			var ended *exec.ExitError
			if !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGABRT {
				t.Errorf("it ends with %v", err)
			}
			if !strings.Contains(string(output), test.says) {
				t.Errorf("it says %q", output)
			}
		})
	}
}
