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
func ReadStats(arguments ...string) (Stats, error) {
	var stats Stats
	command, err := Built("gosess")
	if err != nil {
		return stats, err
	}
	cmd := exec.Command(command, append([]string{"stats", "--json"}, arguments...)...)
	cmd.Env = environment(nil)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return stats, fmt.Errorf("gosess stats: %w: %s", err, stderr.String())
	}
	return stats, json.Unmarshal(output, &stats)
}
