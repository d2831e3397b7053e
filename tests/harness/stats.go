package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
)

// Stats are the counters of a store: see gosess(1).
type Stats struct {
	Hits, Misses, Stores, Evictions, Expiries, Removals, TooBig, Errors uint64
}

// ReadStats reads the counters of a store with gosess stats: its argument is a URL, or
// --pid and the id of a process that has a store in memory.
func ReadStats(arguments ...string) (stats Stats, err error) {
	return stats, readStore(&stats, arguments)
}

// opened says whether a process has opened a store.
func opened(pid int, store []string) bool {
	var stats struct{ Workers []struct{ PID int } }
	err := readStore(&stats, store)
	for _, worker := range stats.Workers {
		if worker.PID == pid {
			return err == nil
		}
	}
	return false
}

func readStore(stats any, arguments []string) error {
	command, err := Built("gosess")
	if err != nil {
		return err
	}
	cmd := exec.Command(command, append([]string{"stats", "--json"}, arguments...)...)
	cmd.Env = environment(nil)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("gosess stats: %w: %s", err, stderr.String())
	}
	return json.Unmarshal(output, stats)
}
