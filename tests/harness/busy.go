package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gosess/sessioncache"
)

// What gosess does otherwise on a machine whose processes wait for a core, and what that must not be taken for.

// SaysLate says whether it is a line of gosess where the Go half needs more than the two seconds that a process waits for it.
func SaysLate(line string) bool {
	return strings.Contains(line, "serving without a cache until it starts")
}

// waitStarted waits for the Go half of those processes of which gosess has said that it starts late: from then on they resume
// sessions like any other. Nobody can see it of what stands in for the Go half, which may hang for good.
func waitStarted(env []string, log string, processes []Process) error {
	if slices.ContainsFunc(env, func(entry string) bool { return strings.HasPrefix(entry, "GOSESS_CORE=") }) {
		return nil
	}
	for line := range strings.Lines(log) {
		for _, p := range processes {
			if !SaysLate(line) || !strings.Contains(line, fmt.Sprintf("gosess: [%d] ", p.PID)) {
				continue
			}
			err := WaitFor(fmt.Sprintf("the Go half of process %d, which starts late,", p.PID), func() bool {
				return !p.Alive() || opened(p.PID, storeOf(env, []Process{p}))
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// storeOf is what gosess stats takes for the store of a server: the URL of a path, or a process that has it in memory.
func storeOf(env []string, processes []Process) []string {
	for _, entry := range env {
		if url, found := strings.CutPrefix(entry, "GOSESS_CACHE=shm:/"); found {
			path, _, _ := strings.Cut(url, "?")
			return []string{"shm:/" + path}
		}
	}
	if len(processes) == 0 {
		return nil
	}
	return []string{"--pid", strconv.Itoa(processes[0].PID)}
}

// Lost says whether sessions that were not resumed may never have been stored: where another writer of the same set of the store
// has no core for half a millisecond, the store does without a session, and counts an error (sessioncache/shm/lock.go).
func Lost(t testing.TB, r Result, store ...string) bool {
	t.Helper()
	if r.Resumed == r.Attempts || len(store) == 0 {
		return false
	}
	stats, err := ReadStats(store...)
	if err != nil || !lost(r, stats[sessioncache.Errors]) {
		return false
	}
	t.Logf("resumed %d of %d: the store counted %d sessions that it had no time for", r.Resumed, r.Attempts, stats[sessioncache.Errors])
	return true
}

// lost says whether no more is missing than what the store has counted, and than one session in fifty, or one of fewer. Each is
// missed as often as it is offered.
func lost(r Result, counted uint64) bool {
	if r.Sessions == 0 {
		return false
	}
	sessions := min(uint64(max(1, r.Sessions/50)), counted)
	visits := (r.Attempts + r.Sessions - 1) / r.Sessions
	return uint64(r.Attempts-r.Resumed) <= sessions*uint64(visits)
}

// LostOf is Lost of the store that a server has.
func LostOf(t testing.TB, r Result, env []string, s Server) bool {
	t.Helper()
	return Lost(t, r, storeOf(env, append(s.Workers(), s.Master()))...)
}
