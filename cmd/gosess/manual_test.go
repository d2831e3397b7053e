package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gosess/internal/metrics"
)

// gosess(1) says of each option what it is for: where its command is described, or before all of them.
func TestManualDescribesOptions(t *testing.T) {
	page, err := os.ReadFile("../../man/gosess.1")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(strings.ReplaceAll(string(page), `\-`, "-"), "\n.Sh DESCRIPTION\n")
	of, before := map[string]string{}, ""
	for n, part := range strings.Split(text, "\n.It Cm ") {
		name, described, _ := strings.Cut(part, "\n")
		if n == 0 {
			before = part
		}
		of[name] += described
	}
	for _, c := range table {
		for _, o := range optionsOf(&c) {
			if fl := "Fl -" + o.flag; !c.hidden && !hasWords(of[c.name], fl) && !hasWords(before, fl) {
				t.Errorf("%s --%s is not described", c.name, o.flag)
			}
			for _, choice := range choices(o.value) {
				if choice != files && !c.hidden && !strings.Contains(of[c.name]+synopsisIn(string(page), c.name), choice) {
					t.Errorf("%s --%s does not say that it may be %s", c.name, o.flag, choice)
				}
			}
		}
	}
}

// hasWords looks for words that are not the beginning of others.
func hasWords(text, words string) bool {
	return regexp.MustCompile(regexp.QuoteMeta(words) + `(?:\s|$)`).MatchString(text)
}

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
