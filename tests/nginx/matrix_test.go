package nginx_test

import (
	"testing"

	"gosess/tests/harness"
)

// nginx through all that happens to servers: see harness.Matrix.
func TestMatrix(t *testing.T) { matrix().Run(t) }

// Is the C half clean under the address and undefined-behaviour sanitizers through all of that?
func TestAddressSanitizer(t *testing.T) {
	harness.OnlyWhereAll(t)
	m := matrix()
	m.Watched = true
	m.Run(t)
}

func matrix() harness.Matrix {
	return harness.Matrix{
		Page:    "nginx",
		New:     newSubject,
		Tickets: []string{"off", "on", "stateful", "shared"},
		Workers: []int{1, 2},
		Paths:   []bool{false, true},
		Steps:   []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart},
		System:  system,
	}
}

func newSubject(_ *testing.T, dir string, row harness.Row, env []string) (*harness.Subject, error) {
	n, err := harness.NewNginx(dir)
	if err != nil {
		return nil, err
	}
	n.System, n.Env, n.WorkerCount, n.Tickets = system, env, row.Workers, true
	if row.Tickets == "off" {
		if n.Sites[0].Directives, err = harness.Block("nginx", "nginx"); err != nil {
			return nil, err
		}
	}
	return n.Subject(), nil
}
