package main

import (
	"os"
	"strings"
	"testing"

	"gosess/internal/metrics"
)

// The operator's manual says of each thing that stats may name where it comes from and what changes it.
func TestManualKnowsWhatStatsNames(t *testing.T) {
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string // what is seen, of each row
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			rows = append(rows, cells[1])
		}
	}
	wants := func(where, name string) {
		t.Helper()
		for _, row := range rows {
			if before, after, found := strings.Cut(row, where); found && strings.TrimSpace(before) == "" && strings.Contains(after+" ", name) {
				return
			}
		}
		t.Errorf("%s %s has no row", where, name)
	}
	for where, kind := range map[string]metrics.Reasons{"misses:": metrics.Missed, "kept:": metrics.Kept, "tickets: not accepted:": metrics.NotAccepted} {
		for c := kind.First; c <= kind.Last; c++ {
			wants(where, kind.Name(c))
		}
	}
	for _, c := range append(metrics.AgentAnswers[2:len(metrics.AgentAnswers):len(metrics.AgentAnswers)], metrics.AgentLosses...) {
		wants("asked it:", c.Name)
	}
	for _, seen := range []string{"evicted", "errors", "latency", "agent: none serves", "agent: the gate is closed", "No worker has used it", "a worker of another version"} {
		wants(seen, "")
	}
}
