// Package doctor_test has gosess doctor examine real servers, well configured and badly: what it says of each has to be
// right, and the lines that it shows have to be those that change it.
package doctor_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"gosess/tests/fleet/network"
	"gosess/tests/harness"
)

func TestMain(m *testing.M) {
	os.Exit(network.Main(m, func(m *testing.M) int {
		status := harness.Together(m)
		if err := writeBeside(); err != nil {
			panic(err)
		}
		return status
	}))
}

// a question is a service with what the doctor has to say of it.
type question struct {
	name   string
	ports  []int
	more   []string // arguments
	server string
	codes  []string // of the findings, each once
	lines  []string // among those that change it
}

func at(ports ...int) (targets []string) {
	for _, port := range ports {
		targets = append(targets, fmt.Sprint("127.0.0.1:", port))
	}
	return targets
}

// ask has the doctor answer.
func ask(t *testing.T, questions ...question) {
	for _, q := range questions {
		t.Run(q.name, func(t *testing.T) {
			r := harness.Diagnose(t, append(at(q.ports...), q.more...)...)
			var lines []string
			status := 0
			for _, finding := range r.Findings {
				lines = append(lines, finding.Cure...)
				if finding.Level == "fault" {
					status = 1
				}
			}
			slices.Sort(q.codes)
			if codes := r.Codes(); !slices.Equal(codes, q.codes) || r.Failed > 0 || r.Status != status {
				t.Errorf("found %q, want %q; status %d:\n%s", codes, q.codes, r.Status, r.Text)
			}
			lookBeside(t, q.name, q.ports, r.Codes())
			if q.server != r.Server {
				t.Errorf("recognised as %q", r.Server)
			}
			for _, line := range q.lines {
				if !strings.Contains(strings.Join(lines, "\n"), line) {
					t.Errorf("%q is not among the lines:\n%s", line, strings.Join(lines, "\n"))
				}
			}
		})
	}
}

// started starts a server and has it stopped when the test is over.
func started(t *testing.T, server harness.Server) {
	t.Helper()
	harness.NeedBuild(t)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
}
