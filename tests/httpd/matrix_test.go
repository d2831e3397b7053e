// Package httpd_test runs Debian's unmodified Apache httpd with gosess preloaded.
package httpd_test

import (
	"testing"

	"gosess/tests/harness"
)

// All rows, with the event MPM and gosess as the only cache.
func TestMatrix(t *testing.T) {
	harness.Matrix{
		New: func(_ *testing.T, dir string, row harness.Row, env []string) (*harness.Subject, error) {
			return subject(dir, row, env, "event", "nonenotnull")
		},
		Tickets: []string{"off", "on", "stateful"},
		Workers: []int{1, 2},
		Paths:   []bool{false, true},
		Steps:   []harness.Step{harness.First, harness.Reload, harness.KillWorker, harness.Restart},
	}.Run(t)
}

func subject(dir string, row harness.Row, env []string, mpm, cache string) (*harness.Subject, error) {
	h, err := harness.NewHTTPD(dir)
	if err != nil {
		return nil, err
	}
	tickets := "on"
	if row.Tickets == "off" {
		tickets = "off"
	}
	h.Env, h.MPM, h.WorkerCount = env, mpm, row.Workers
	h.SSL = "SSLSessionCache " + cache + "\nSSLSessionTickets " + tickets
	return h.Subject(), nil
}
