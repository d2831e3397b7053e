package harness

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Counted counts what goes into the Go half, in all processes of a server.
type Counted struct {
	Env []string // added to the server's

	file string
}

// NewCounted writes into dir, with more definitions for tests/c/cores/counting.c.
func NewCounted(t *testing.T, dir string, definitions ...string) *Counted {
	t.Helper()
	core, err := Built("libgosess-core.so")
	if err != nil {
		t.Fatal(err)
	}
	counting, file := filepath.Join(dir, "counting.so"), filepath.Join(dir, "counts")
	definitions = append(definitions, fmt.Sprintf("-DCORE=%q", core), fmt.Sprintf("-DCOUNTS=%q", file), "-ldl")
	err = SharedObject(counting, "tests/c/cores/counting.c", definitions...)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, make([]byte, os.Getpagesize()), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o666); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return &Counted{Env: []string{"GOSESS_CORE=" + counting}, file: file}
}

// Requests is how many there were so far.
func (c *Counted) Requests(t *testing.T) (sum uint64) {
	t.Helper()
	counts, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(counts) > 0; counts = counts[8:] {
		sum += binary.NativeEndian.Uint64(counts)
	}
	return sum
}
