package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"gosess/sessioncache"
)

// Stats are the counters of a store: see gosess(1).
type Stats = sessioncache.Counters

// ReadStats reads the counters of a store with gosess stats: its argument is a URL, or
// --pid and the id of a process that has a store in memory.
func ReadStats(arguments ...string) (stats Stats, err error) {
	var store map[string]json.RawMessage
	if err := readStore(&store, arguments); err != nil {
		return stats, err
	}
	for counter := range stats {
		name := inJSON(sessioncache.Counter(counter))
		if err := json.Unmarshal(store[name], &stats[counter]); err != nil {
			return stats, fmt.Errorf("gosess stats: %s: %w", name, err)
		}
	}
	return stats, nil
}

// inJSON is the name of a counter in camel case.
func inJSON(counter sessioncache.Counter) string {
	first, rest, _ := strings.Cut(counter.String(), " ")
	for word := range strings.FieldsSeq(rest) {
		first += strings.ToUpper(word[:1]) + word[1:]
	}
	return first
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
