package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
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

// A tally counts tests, of several runs of go test at once. One that has subtests is not counted beside them.
type tally struct {
	strict bool // skipped tests count as failed

	mutex                   sync.Mutex // of what follows
	out                     io.Writer
	passed, failed, skipped int
}

func newTally(out io.Writer, strict bool) *tally {
	return &tally{out: out, strict: strict}
}

// A reader feeds the events of one run of go test to the tally.
type reader struct {
	*tally
	run      string // what tells its lines from those of other runs
	failures int    // of this run
	suites   map[string]*suite
	builds   map[string]string // what the compiler said
}

func (t *tally) reader(run string) *reader {
	return &reader{tally: t, run: run, suites: map[string]*suite{}, builds: map[string]string{}}
}

// read counts the tests of its go test, to its end.
func (r *reader) read(events io.Reader) error {
	decoder := json.NewDecoder(events)
	for {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("not an event: %w", err)
		}
		r.take(e)
	}
	for name := range r.suites {
		r.end(name, "fail", 0) // killed: it had begun and did not end
	}
	return nil
}

func (r *reader) take(e event) {
	switch e.Action {
	case "build-output":
		r.builds[e.ImportPath] += e.Output
		return
	case "build-fail":
		r.print(fmt.Sprintf("FAIL    build of %s\n%s", e.ImportPath, r.builds[e.ImportPath]))
		return
	}
	if e.Package == "" {
		return
	}
	s := r.suites[e.Package]
	if s == nil {
		s = &suite{map[string]string{}, map[string]string{}}
		r.suites[e.Package] = s
	}
	switch e.Action {
	case "output":
		s.output[e.Test] += e.Output
	case "run":
		s.results[e.Test] = "run"
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.end(e.Package, e.Action, e.Elapsed)
		} else {
			s.results[e.Test] = e.Action
		}
	}
}

// end counts a package that has ended.
func (r *reader) end(name, action string, elapsed float64) {
	s := r.suites[name]
	delete(r.suites, name)
	var text strings.Builder
	passed, failed, skipped := 0, 0, 0
	for test, result := range s.results {
		switch {
		case s.covered(test, result):
			if said := reason(s.output[test]); result == "fail" && said != "" {
				fmt.Fprintf(&text, "said by %s %s\n%s", name, test, said)
			}
		case result == "pass":
			passed++
		case result == "skip":
			skipped++
			fmt.Fprintf(&text, "SKIP    %s %s\n%s", name, test, reason(s.output[test]))
		default: // failed, or running when the package ended
			failed++
			fmt.Fprintf(&text, "FAIL    %s %s\n%s", name, test, s.output[test])
		}
	}
	if action == "fail" && failed == 0 {
		failed++
		fmt.Fprintf(&text, "FAIL    %s\n%s", name, s.output[""])
	}
	if len(s.results) > 0 || action == "fail" {
		fmt.Fprintf(&text, "%-7s %s%s: %d passed, %d failed, %d skipped, %.1f s\n", action, name, r.run, passed, failed, skipped, elapsed)
	}
	r.failures += failed
	r.add(text.String(), passed, failed, skipped)
}

func (t *tally) print(text string) { t.add(text, 0, 0, 0) }

// add prints and counts.
func (t *tally) add(text string, passed, failed, skipped int) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	fmt.Fprint(t.out, text)
	t.passed += passed
	t.failed += failed
	t.skipped += skipped
}

// reason is what a test says, without what go test says of it.
func reason(output string) string {
	var kept strings.Builder
	for line := range strings.Lines(output) {
		if bare := strings.TrimSpace(line); !strings.HasPrefix(bare, "=== ") && !strings.HasPrefix(bare, "--- ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
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
