package harness

import (
	"encoding/json"
	"fmt"
	"os/exec"
)

// Stats are the counters of a store: see gosess(1).
type Stats struct {
	Hits, Misses, Stores, Evictions, Expiries, Removals, TooBig, Errors uint64
}

// ReadStats reads the counters of the store of a URL, with the gosess command.
func ReadStats(url string) (Stats, error) {
	var stats Stats
	command, err := Built("gosess")
	if err != nil {
		return stats, err
	}
	cmd := exec.Command(command, "stats", "--json", url)
	cmd.Env = environment(nil)
	output, err := cmd.Output()
	if err != nil {
		return stats, fmt.Errorf("gosess stats: %w: %s", err, output)
	}
	return stats, json.Unmarshal(output, &stats)
}
