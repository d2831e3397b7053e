package nginx_test

import (
	"testing"

	"gosess/tests/harness"
)

// Tickets outlive all that happens to nginx in its default configuration, and an upgrade of its binary too.
func TestTicketsOutliveAll(t *testing.T) {
	t.Parallel()
	var servers = map[*harness.Subject]*harness.Nginx{}
	harness.TicketEnds{
		New: func(_ *testing.T, dir string, env []string) (*harness.Subject, error) {
			n, err := harness.NewNginx(dir)
			if err != nil {
				return nil, err
			}
			n.System, n.Env, n.Tickets = system, env, true
			n.Main = "env LD_PRELOAD; env GOSESS_CACHE; env GOSESS_TICKETS;" // else it forgets them when it upgrades
			s := n.Subject()
			servers[s] = n
			return s, nil
		},
		Late:   true,
		More:   []harness.TicketEnd{{Name: "an upgrade", Take: func(s *harness.Subject) error { return servers[s].Upgrade() }, Ends: true}},
		System: system,
	}.Run(t)
}
