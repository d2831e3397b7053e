package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// PreloadHandlers adds a library to the LD_PRELOAD that env begins with, which tells what becomes of
// signals in the process that accepts a connection: see ReadHandlers. It writes to a file that its
// process finds at that path.
func PreloadHandlers(env []string, dir, path string) ([]string, error) {
	library := filepath.Join(dir, "handlers.so")
	if err := SharedObject(library, "tests/harness/testdata/handlers.c"); err != nil {
		return nil, err
	}
	if len(env) == 0 {
		env = []string{"LD_PRELOAD="}
	}
	return append([]string{env[0] + ":" + library, "HANDLERS=" + path}, env[1:]...), nil
}

// Handlers is what becomes of each signal: its handler, as object and offset, the handler's flags
// and its mask.
type Handlers map[syscall.Signal]string

// ReadHandlers waits for what PreloadHandlers' library writes.
func ReadHandlers(path string) (Handlers, error) {
	var text []byte
	err := WaitFor(path, func() bool {
		var err error
		text, err = os.ReadFile(path)
		return err == nil
	})
	handlers := Handlers{}
	for line := range strings.Lines(string(text)) {
		number, what, _ := strings.Cut(line, " ")
		signal, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		handlers[syscall.Signal(signal)] = strings.TrimSpace(what)
	}
	return handlers, err
}

// Changed tells what with has of signals that the host without it has otherwise, but for the two faults of memory,
// which must be the Go half's.
func (h Handlers) Changed(with Handlers) []string {
	var changes []string
	for signal, what := range with {
		switch signal {
		case syscall.SIGBUS, syscall.SIGSEGV:
			if !strings.HasPrefix(what, "libgosess-core.so+") {
				changes = append(changes, fmt.Sprintf("%v is not Go's, but %s", signal, what))
			}
		default:
			if h[signal] != what {
				changes = append(changes, fmt.Sprintf("%v: %s without gosess, %s with it", signal, h[signal], what))
			}
		}
	}
	if len(h) == 0 || len(h) != len(with) {
		changes = append(changes, fmt.Sprintf("%d signals without gosess, %d with it", len(h), len(with)))
	}
	return changes
}
