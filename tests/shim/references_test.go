package shim_test

import (
	"strings"
	"testing"

	"gosess/tests/harness"
)

// Is every reference given back, whoever keeps one and however a connection ends? Of what is shared,
// of what is kept in the process because the host keeps something with it, and where all is.
func TestReferences(t *testing.T) {
	for _, version := range versions {
		for _, test := range []struct {
			cache     string
			arguments []string
		}{
			{"shm:?size=1m", []string{version, "counts"}},
			{"shm:?size=1m", []string{version, "keeps-data", "counts"}},
			{"memory:", []string{version, "counts"}},
		} {
			h := served(t, "references", test.arguments...)
			h.cache = test.cache
			s := h.run(t)
			lines := strings.Split(strings.TrimSpace(s.out), "\n")
			if len(lines) != 24 {
				t.Errorf("%s", s.out)
			}
			for _, line := range lines {
				if !strings.HasSuffix(line, ": 0 left") {
					t.Errorf("%s %v %s", test.cache, test.arguments, line)
				}
			}
			s.logs(t)
		}
	}
}

// Does anything stay of many resumptions?
func TestNoLeaks(t *testing.T) {
	for version, times := range map[string]string{"--tls1.2": harness.Times(100000), "--tls1.3": harness.Times(20000)} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			h := served(t, "references", version, "leaks")
			h.env = []string{"TIMES=" + times}
			s := h.run(t)
			s.wants(t, "all resumed", "0 more sessions", "memory flat", kept(version)+" left")
			s.logs(t)
		})
	}
}

// Do the callbacks leave errno and the error queue as they were, whatever they are asked (L25)?
func TestErrorsAreLeftAlone(t *testing.T) {
	for _, version := range versions {
		s := served(t, "references", version, "errors").run(t)
		if strings.Count(s.out, "errno kept, its error kept, none more") != 11 {
			t.Errorf("%s", s.out)
		}
		for _, line := range []string{"new returned 0\n", "found 1, copy 0\n", kept(version) + " more sessions\n", "found 0\n"} {
			if !strings.Contains(s.out, line) {
				t.Errorf("no line %q in:\n%s", line, s.out)
			}
		}
		served(t, "references", version, "want-read").run(t).wants(t, "want read")
	}
}

// Is that so even where the Go half changes errno, and is it never called on an ASYNC job's stack,
// where this stand-in would end the program?
func TestCallsOfAStandIn(t *testing.T) {
	h := served(t, "references", "errors")
	h.env = []string{"GOSESS_CORE=" + standIn(t, "soil", "-DSOIL")}
	if s := h.run(t); strings.Count(s.out, "errno kept, its error kept, none more") != 11 {
		t.Errorf("%s", s.out)
	}
	h.second = true
	h.path, h.arguments = program(t, "threads"), []string{"async-job"}
	h.run(t).wants(t, "full: in-job new", "resumed: in-job get", "resumed: in-job get", "then: full")
}

// Does the gate let everybody in, also new threads where it is crowded, and those that end?
func TestCrowdOfThreads(t *testing.T) {
	for _, threads := range []struct{ count, threads, short, async string }{
		{"1", "500", "100", "500"},
		{"3", "1500", "300", "1500"},
		{"32", "16000", "3200", "16000"},
	} {
		h := served(t, "threads", "threads")
		h.env = []string{"THREADS=" + threads.count}
		h.run(t).wants(t, threads.threads+" resumed, 0 full, 0 others")
		h.arguments = []string{"short-threads"}
		h.run(t).wants(t, threads.short+" resumed, 0 full, 0 others")
		h.arguments = []string{"async-threads"}
		h.run(t).wants(t, threads.async+" resumed, 0 full, 0 others")
	}
}

// Do threads find the sessions, also short-lived ones, on small stacks, and in ASYNC jobs?
func TestThreads(t *testing.T) {
	runScenarios(t, "threads", []scenario{
		{"threads", "2000 resumed, 0 full, 0 others", "2000 resumed, 0 full, 0 others"},
		{"threads-load", "0 resumed, 80 full, 0 others", "0 resumed, 80 full, 0 others"},
		{"short-threads", "400 resumed, 0 full, 0 others", "400 resumed, 0 full, 0 others"},
		{"small-stacks", "800 resumed, 0 full, 0 others", "800 resumed, 0 full, 0 others"},
		{"async-threads", "2000 resumed, 0 full, 0 others", "2000 resumed, 0 full, 0 others"},
		{"contexts", "400 resumed, 0 others", "400 resumed, 0 others"},
	})
	for i, also := range []string{"", " in-job new"} {
		h := served(t, "threads", versions[i], "async-job")
		h.second = true
		s := h.run(t)
		s.wants(t, "full: in-job new", "resumed: in-job get"+also, "resumed: in-job get"+also,
			[]string{"then: full", "then: resumed"}[i])
		s.logs(t)
	}
}

// kept is how many sessions gosess keeps: of TLS 1.2 the one that others are made like (shim/serve/molds.c).
func kept(version string) string {
	if version == "--tls1.2" {
		return "1"
	}
	return "0"
}
