package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// results are what became of each test case: "ok", "not ok", "skipped", or how often each of those where
// several cases have one name.
type results map[string]string

// A tally counts the outcomes of each name.
type tally map[string]map[string]int

func (t tally) add(name, outcome string) {
	if t[name] == nil {
		t[name] = map[string]int{}
	}
	t[name][outcome]++
}

func (t tally) results() results {
	all := results{}
	for name, outcomes := range t {
		var parts []string
		for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
			if outcomes[outcome] > 1 {
				outcome = fmt.Sprintf("%d %s", outcomes[outcome], outcome)
			}
			parts = append(parts, outcome)
		}
		all[name] = strings.Join(parts, ", ")
	}
	return all
}

// empty says whether there is no case: a program's end is there always.
func (r results) empty() bool { return len(r) < 2 }

// end is how a program ended, where its cases do not tell it.
func (r results) end(err error) string {
	if err == nil {
		return "ok"
	}
	for _, outcome := range r {
		if strings.Contains(outcome, "not ok") && strings.HasPrefix(err.Error(), "exit status ") {
			return "ok"
		}
	}
	return err.Error()
}

var tapNone = regexp.MustCompile(`(?m)^1\.\.0 *# *(?i:skip)`)

var tapLine = regexp.MustCompile(`^( *)((?:not )?ok)\b *\d*(?: *-)? *(.*?) *(?:# *(?i:(skip|todo)).*)?$`)

// What differs from run to run: addresses in memory, ports, times, and how often something was tried.
var passing = regexp.MustCompile(`0x[0-9a-f]+|\d{4,}|=\d+|\d+ attempts`)

// readTAP reads the Test Anything Protocol. The cases of a subtest stand before its own line, four
// columns further to the right; their names follow its name and a slash. Numbers are no part of a name:
// processes that a test forks count alone, and write in any order.
func readTAP(output string) results {
	if tapNone.MatchString(output) {
		return results{"all": "skipped"}
	}
	type test struct{ name, outcome string }
	var levels [][]test // what waits for the line of its subtest
	for line := range strings.Lines(output) {
		found := tapLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if found == nil {
			continue
		}
		depth, outcome, name := len(found[1])/4, found[2], passing.ReplaceAllString(found[3], "N")
		switch strings.ToLower(found[4]) {
		case "skip":
			outcome = "skipped"
		case "todo":
			outcome = "todo"
		}
		for len(levels) < depth+2 {
			levels = append(levels, nil)
		}
		for _, inner := range levels[depth+1] {
			levels[depth] = append(levels[depth], test{name + "/" + inner.name, inner.outcome})
		}
		if len(levels[depth+1]) == 0 { // else its cases tell it all
			levels[depth] = append(levels[depth], test{name, outcome})
		}
		levels[depth+1] = nil
	}
	count := tally{}
	for depth, tests := range levels {
		for _, t := range tests {
			count.add(strings.Repeat("unfinished/", depth)+t.name, t.outcome)
		}
	}
	return count.results()
}

var (
	rubyCase  = regexp.MustCompile(`(?m)^\[ *\d+/\d+\] (\S+#\S+) = `)
	rubyFault = regexp.MustCompile(`(?m)^ +\d+\) (Failure|Error|Skipped):\n(\S+#[^\s:]+)`)
)

// readRuby reads what Ruby's own runner prints with -v.
func readRuby(output string) results {
	all := results{}
	for _, found := range rubyCase.FindAllStringSubmatch(output, -1) {
		all[found[1]] = "ok"
	}
	for _, found := range rubyFault.FindAllStringSubmatch(output, -1) {
		all[found[2]] = "not ok"
		if found[1] == "Skipped" {
			all[found[2]] = "skipped"
		}
	}
	return all
}
