package nginx_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// dumped returns what a core dump of a process would hold: all that it can write to, but the
// mappings that are left out of dumps (madvise(2), MADV_DONTDUMP).
func dumped(t *testing.T, process harness.Process) (memory [][]byte) {
	t.Helper()
	smaps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", process.PID))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", process.PID))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	var start, end int64
	for line := range strings.Lines(string(smaps)) {
		var from, to int64
		if _, err := fmt.Sscanf(line, "%x-%x rw", &from, &to); err == nil {
			start, end = from, to
		}
		flags, found := strings.CutPrefix(line, "VmFlags:")
		if !found || end == 0 {
			continue
		}
		if !slices.Contains(strings.Fields(flags), "dd") {
			data := make([]byte, end-start)
			if n, _ := mem.ReadAt(data, start); n > 0 {
				memory = append(memory, data[:n])
			}
		}
		end = 0
	}
	return memory
}

// Does a core dump of a server leave out the key that its sessions are sealed with?
func TestCoreDump(t *testing.T) {
	key := make([]byte, 32)
	rand.Read(key)
	file := filepath.Join(harness.TempDir(t), "keys")
	if err := os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := started(t, "shm:?size=1m&keys="+file)
	s.resumes("--tls", "1.2", "--sessions", "20", "--attempts", "200")
	for _, process := range append(s.Workers(), s.Master()) {
		memory := dumped(t, process)
		if len(memory) == 0 {
			t.Fatal("a core dump would hold nothing at all")
		}
		for _, data := range memory {
			if at := bytes.Index(data, key); at >= 0 {
				t.Errorf("a core dump of %s would hold the key", process.Title())
			}
		}
	}
}
