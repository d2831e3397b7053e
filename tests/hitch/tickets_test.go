package hitch_test

import (
	"testing"

	"gosess/tests/harness"
)

// Tickets outlive all that happens to hitch in its default configuration.
func TestTicketsOutliveAll(t *testing.T) {
	t.Parallel()
	harness.TicketEnds{
		New: func(t *testing.T, dir string, env []string) (*harness.Subject, error) {
			p, err := newHitch(t, dir, 2, env)
			if err != nil {
				return nil, err
			}
			return p.Subject(), nil
		},
		Late: true,
	}.Run(t)
}
