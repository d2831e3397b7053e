package stunnel_test

import (
	"testing"

	"gosess/tests/harness"
)

// Are stunnel's tickets, in its default configuration, worth what they are without gosess? It makes its contexts with a query for
// algorithms of its own (SSL_CTX_new_ex(3)), so they are left to libssl.
func TestTicketsAreItsOwn(t *testing.T) {
	t.Parallel()
	harness.TicketEnds{
		New: func(t *testing.T, dir string, env []string) (*harness.Subject, error) {
			p, err := newStunnel(t, dir, env)
			if err != nil {
				return nil, err
			}
			return reloading(p), nil
		},
		Own: true,
	}.Run(t)
}
