package shim_test

import (
	"fmt"
	"syscall"
	"testing"
)

// Are the host's handlers, their flags and masks the same for every signal, but for the two
// that Go needs and hands on?
func TestDispositions(t *testing.T) {
	for round := range 5 { // each signal in each of five ways
		s := served(t, "signals", fmt.Sprintf("dispositions-%d", round)).run(t)
		s.wants(t,
			fmt.Sprintf("signal %d: another handler", syscall.SIGBUS),
			fmt.Sprintf("signal %d: another handler", syscall.SIGSEGV),
			"mask kept")
	}
}

// Does the host get its own faults?
func TestFaults(t *testing.T) {
	each := []string{"SEGV: caught, address given", "BUS: caught, address given", "FPE: caught, address given", "resumed"}
	var want []string
	for range 3 {
		want = append(want, each...)
	}
	served(t, "signals", "own-faults").run(t).wants(t, want...)
	h := served(t, "signals", "fatal-fault")
	h.fails = true
	h.run(t).wants(t)
}

// Does it survive signals from all sides, and a setuid, which stops every thread by a signal?
func TestSignalStorm(t *testing.T) {
	s := served(t, "signals", "storm").run(t)
	s.wants(t, "10000 resumed", "USR1 arrived", "USR2 arrived", "URG arrived", "ALRM arrived", "PROF arrived")
	s.logs(t)
	served(t, "signals", "setuid-everywhere").run(t).wants(t, "resumed")
}

// Does no handler run on a goroutine's stack in the first call of a thread, where Go unblocks
// SIGCHLD and a few others?
func TestSignalsInFirstCalls(t *testing.T) {
	served(t, "signals", "first-calls").run(t).wants(t, "CHLD arrived, 0 on a strange stack")
}
