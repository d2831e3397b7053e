// Package doctor_test has gosess doctor examine real servers, well configured and badly: what it says of each has to be
// right, and the lines that it shows have to be those that change it.
package doctor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Together(m)) }

// report is what the tests look at of what gosess doctor --json prints.
type report struct {
	Server   string
	Failed   int
	Failure  string
	Findings []struct {
		Code, Level, What string
		Cure              []string
	}
	Ways []struct {
		Way         string
		SameAddress struct{ Visits, Resumed int }
		Groups      [][]string
	}
	TicketKeys struct {
		NameBytes int
		Keys      []struct{ Name string }
	}
	Since *struct{ NewKeys, OldKeys int }

	status int
	text   string
}

// examine runs gosess doctor.
func examine(t *testing.T, arguments ...string) report {
	t.Helper()
	gosess, err := harness.Built("gosess")
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(gosess, append([]string{"doctor", "--json", "--rate", "1000"}, arguments...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := report{status: cmd.ProcessState.ExitCode(), text: stdout.String()}
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%q: %v: %s%s", arguments, err, stdout.String(), stderr.String())
	}
	return r
}

// codes are those of the findings, each once.
func (r report) codes() (codes []string) {
	for _, finding := range r.Findings {
		codes = append(codes, finding.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
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
			r := examine(t, append(at(q.ports...), q.more...)...)
			var lines []string
			status := 0
			for _, finding := range r.Findings {
				lines = append(lines, finding.Cure...)
				if finding.Level == "fault" {
					status = 1
				}
			}
			slices.Sort(q.codes)
			if codes := r.codes(); !slices.Equal(codes, q.codes) || r.Failed > 0 || r.status != status {
				t.Errorf("found %q, want %q; status %d:\n%s", codes, q.codes, r.status, r.text)
			}
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
