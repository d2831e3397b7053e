package haproxy_test

import (
	"testing"

	"gosess/tests/harness"
)

// HAProxy through all that happens to servers: see harness.Matrix.
func TestMatrix(t *testing.T) { matrix().Run(t) }

// Is the C half clean under the address and undefined-behaviour sanitizers through all of that?
func TestAddressSanitizer(t *testing.T) {
	harness.OnlyWhereAll(t)
	m := matrix()
	m.Watched = true
	m.Run(t)
}

// Its workers are threads.
func matrix() harness.Matrix {
	return harness.Matrix{
		Page: "haproxy",
		New: func(_ *testing.T, dir string, row harness.Row, env []string) (*harness.Subject, error) {
			h, err := harness.NewHAProxy(dir)
			if err != nil {
				return nil, err
			}
			h.System, h.Env, h.Threads, h.Tickets = system, env, row.Workers, true
			if row.Tickets == "off" {
				if h.Global, err = harness.Block("haproxy", "haproxy"); err != nil {
					return nil, err
				}
			}
			return h.Subject(), nil
		},
		Tickets: []string{"off", "on", "stateful", "shared"},
		Workers: []int{1, 2},
		Paths:   []bool{false, true},
		Steps:   []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart},
		Kept:    kept,
		System:  system,
	}
}

// kept is harness.Kept, but that HAProxy ends with its worker, and that a reload runs its program
// anew, which begins with an empty memory.
func kept(row harness.Row, c harness.Client, _ harness.Step) int {
	return harness.Kept(row, c, harness.Restart)
}
