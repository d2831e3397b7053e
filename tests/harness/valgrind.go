package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Valgrind looks what a server of one process has lost when it ends. Instead of the Go half, whose memory it does
// not know, the server has one in C.
type Valgrind struct {
	Through []string // what runs the server
	Env     []string // added to the server's

	report string
}

// NewValgrind writes into dir.
func NewValgrind(t *testing.T, dir string) *Valgrind {
	t.Helper()
	program, err := exec.LookPath("valgrind")
	if err != nil {
		t.Skip("valgrind is not installed")
	}
	standIn := filepath.Join(dir, "memory.so")
	if err := SharedObject(standIn, "tests/c/cores/memory.c"); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(dir, "valgrind")
	return &Valgrind{
		Through: []string{program, "--leak-check=full", "--show-leak-kinds=definite", "--vgdb=no", "--log-file=" + report},
		Env:     []string{"GOSESS_CORE=" + standIn},
		report:  report,
	}
}

// Judge wants nothing found in the C half by the server that has ended. Only what is lost for certain counts, and of
// that what the C half has allocated itself.
func (v *Valgrind) Judge(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(v.report)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "HEAP SUMMARY") {
		t.Errorf("valgrind did not see the server end:\n%s", text)
	}
	for part := range strings.SplitSeq(string(text), "== \n") {
		if strings.Contains(part, "gosess_") {
			t.Error(part)
		}
	}
}
