package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// An event is a line of go test -json: see go doc test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Elapsed    float64
	Output     string
}

// A suite is a package whose tests are running.
type suite struct {
	results map[string]string // of a test: pass, fail or skip; run until it has ended
	output  map[string]string // of a test, or "" of the package
}

// A tally counts tests. One that has subtests is not counted beside them.
type tally struct {
	out                     io.Writer
	strict                  bool // skipped tests count as failed
	passed, failed, skipped int
	suites                  map[string]*suite
	builds                  map[string]string // what the compiler said
}

func newTally(out io.Writer, strict bool) *tally {
	return &tally{out: out, strict: strict}
}

// read counts the tests of one go test, to its end.
func (t *tally) read(events io.Reader) error {
	t.suites, t.builds = map[string]*suite{}, map[string]string{}
	decoder := json.NewDecoder(events)
	for {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("not an event: %w", err)
		}
		t.take(e)
	}
	for name := range t.suites {
		t.end(name, "fail", 0) // killed: it had begun and did not end
	}
	return nil
}

func (t *tally) take(e event) {
	switch e.Action {
	case "build-output":
		t.builds[e.ImportPath] += e.Output
		return
	case "build-fail":
		fmt.Fprintf(t.out, "FAIL    build of %s\n%s", e.ImportPath, t.builds[e.ImportPath])
		return
	}
	if e.Package == "" {
		return
	}
	s := t.suites[e.Package]
	if s == nil {
		s = &suite{map[string]string{}, map[string]string{}}
		t.suites[e.Package] = s
	}
	switch e.Action {
	case "output":
		s.output[e.Test] += e.Output
	case "run":
		s.results[e.Test] = "run"
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.end(e.Package, e.Action, e.Elapsed)
		} else {
			s.results[e.Test] = e.Action
		}
	}
}

// end counts a package that has ended.
func (t *tally) end(name, action string, elapsed float64) {
	s := t.suites[name]
	delete(t.suites, name)
	passed, failed, skipped := t.passed, t.failed, t.skipped
	for test, result := range s.results {
		switch {
		case s.covered(test, result):
		case result == "pass":
			t.passed++
		case result == "skip":
			t.skipped++
			fmt.Fprintf(t.out, "SKIP    %s %s\n%s", name, test, s.output[test])
		default: // failed, or running when the package ended
			t.failed++
			fmt.Fprintf(t.out, "FAIL    %s %s\n%s", name, test, s.output[test])
		}
	}
	if action == "fail" && t.failed == failed {
		t.failed++
		fmt.Fprintf(t.out, "FAIL    %s\n%s", name, s.output[""])
	}
	if len(s.results) > 0 || action == "fail" {
		fmt.Fprintf(t.out, "%-7s %s: %d passed, %d failed, %d skipped, %.1f s\n", action, name,
			t.passed-passed, t.failed-failed, t.skipped-skipped, elapsed)
	}
}

// covered says whether subtests tell all about a test: it has some, and one of them failed
// or it did not fail itself.
func (s *suite) covered(test, result string) bool {
	subtests, failed := false, false
	for other, its := range s.results {
		if strings.HasPrefix(other, test+"/") {
			subtests = true
			failed = failed || its == "fail" || its == "run"
		}
	}
	return subtests && (failed || result == "pass" || result == "skip")
}

func (t *tally) good() bool {
	return t.passed > 0 && t.failed == 0 && (!t.strict || t.skipped == 0)
}

func (t *tally) String() string {
	switch {
	case t.skipped == 0:
		return fmt.Sprintf("%d passed, %d failed", t.passed, t.failed)
	case t.strict:
		return fmt.Sprintf("%d passed, %d failed (%d of them skipped)", t.passed, t.failed+t.skipped, t.skipped)
	}
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
}
