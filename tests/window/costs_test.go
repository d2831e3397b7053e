package window_test

import (
	"strconv"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// BenchmarkCosts is what a fleet costs a worker, in CPU time of its thread: a resumption whose session is near, a miss near and far, and
// what the worker has of its own, beside one whose store is alone and in turns; and asking while the gate is closed.
func BenchmarkCosts(b *testing.B) {
	for b.Loop() {
		for scenario, units := range map[string][]string{"hits": {"hit-ratio"}, "misses": {"miss-ns-more"}, "workers": {"threads-more", "KB-more"}} {
			report(b, machines{program: "costs", scenario: scenario, agent: true, answers: true}.run(b, "--tls1.2"), units...)
		}
		path, _ := newWindow(b)
		said, _, err := harness.Execute([]string{"WINDOW=" + path}, askProgram(b, "ask-fast", "-O2"), "costs")
		if err != nil {
			b.Fatal(err)
		}
		report(b, said, "closed-ns")
	}
}

// report reports the numbers that a program has printed.
func report(b *testing.B, said string, units ...string) {
	b.Helper()
	numbers := strings.Fields(said)
	if len(numbers) != len(units) {
		b.Fatalf("it printed %q", said)
	}
	for i, unit := range units {
		value, err := strconv.ParseFloat(numbers[i], 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(value, unit)
	}
}
