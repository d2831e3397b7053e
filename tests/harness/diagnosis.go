package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"testing"
)

// Diagnosis is what tests look at of what gosess doctor --json prints.
type Diagnosis struct {
	Server   string
	Failed   int
	Failure  string
	Findings []struct {
		Code, Level, What string
		Cure              []string
	}
	Ways []struct {
		Way    string
		Groups [][]string
	}
	TicketKeys struct {
		NameBytes int
		Keys      []struct{ Name string }
	}
	Since *struct{ NewKeys, OldKeys int }

	Status int    `json:"-"` // that the command ended with
	Text   string `json:"-"` // all that it printed
}

// Codes are those of the findings, each once.
func (d Diagnosis) Codes() (codes []string) {
	for _, finding := range d.Findings {
		codes = append(codes, finding.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// Diagnose runs gosess doctor, faster than it goes by itself.
func Diagnose(t testing.TB, arguments ...string) Diagnosis {
	t.Helper()
	gosess, err := Built("gosess")
	if err != nil {
		t.Fatal(err)
	}
	return ReadDiagnosis(t, exec.Command(gosess, append([]string{"doctor", "--json", "--rate", "1000"}, arguments...)...))
}

// ReadDiagnosis runs a command that becomes gosess doctor --json.
func ReadDiagnosis(t testing.TB, cmd *exec.Cmd) (d Diagnosis) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	d.Status, d.Text = cmd.ProcessState.ExitCode(), stdout.String()
	if err := json.Unmarshal(stdout.Bytes(), &d); err != nil {
		t.Fatalf("%q: %v: %s%s", cmd.Args, err, stdout.String(), stderr.String())
	}
	return d
}
