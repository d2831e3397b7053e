package stunnel_test

import (
	"testing"

	"gosess/tests/harness"
)

// Do stunnel's tickets, in its default configuration, outlive what ends them without gosess? It makes its contexts with a query for
// algorithms of its own (SSL_CTX_new_ex(3)), which changes nothing of those that tickets need.
func TestTickets(t *testing.T) {
	t.Parallel()
	harness.TicketEnds{
		Late: true,
		New: func(t *testing.T, dir string, env []string) (*harness.Subject, error) {
			p, err := newStunnel(t, dir, env)
			if err != nil {
				return nil, err
			}
			return reloading(p), nil
		},
	}.Run(t)
}
