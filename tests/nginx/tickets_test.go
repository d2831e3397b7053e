package nginx_test

import (
	"path/filepath"
	"testing"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// Tickets outlive all that happens to nginx in its default configuration, and an upgrade of its binary too.
func TestTicketsOutliveAll(t *testing.T) {
	t.Parallel()
	ticketEnds().Run(t)
}

// Does gosess stats count its tickets as its clients do?
func TestTicketsAreCounted(t *testing.T) {
	t.Parallel()
	ticketEnds().Counted(t)
}

func ticketEnds() harness.TicketEnds {
	servers := map[*harness.Subject]*harness.Nginx{}
	return harness.TicketEnds{
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
	}
}

// Where early data is accepted, which TLS 1.3 alone has, nginx's own key seals the tickets of TLS 1.3; those of TLS 1.2 outlive a restart.
func TestTicketsBesideEarlyData(t *testing.T) {
	t.Parallel()
	s, url := withStore(t)
	s.Tickets, s.Sites[0].Directives = true, "ssl_early_data on;"
	s.Env = append(s.Env, "GOSESS_TICKETS=shared")
	s.do(s.Start)
	file := map[string]string{"1.2": filepath.Join(s.Dir, "of 1.2"), "1.3": filepath.Join(s.Dir, "of 1.3")}
	made := s.load("--tls", "1.2", "--sessions", "4", "--attempts", "0", "--save", file["1.2"]).Tickets
	s.load("--tls", "1.3", "--sessions", "4", "--attempts", "0", "--save", file["1.3"])
	if got := stats(t, url)[sessioncache.TicketsMade]; made != 4 || got != 4 {
		t.Errorf("%d tickets of TLS 1.2, and gosess has sealed %d", made, got)
	}
	s.do(s.Stop)
	s.do(s.Start)
	s.resumes("--tls", "1.2", "--load", file["1.2"], "--attempts", "12")
	s.refuses("--tls", "1.3", "--load", file["1.3"], "--attempts", "12")
}

// Is nothing asked of the Go half for a ticket, once it is known what the name leads to?
func TestTicketsAreResumedInC(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s, _ := withStore(t)
		s.addName(s.Port(), own)
		s.WorkerCount, s.Tickets = 1, true
		counted := harness.NewCounted(t, s.Dir)
		s.Env = append(append(s.Env, "GOSESS_TICKETS=shared"), counted.Env...)
		s.do(s.Start)
		for _, name := range []string{"first.test", own} {
			old := s.pool(version, "--sni", name)
			s.resumes(append(old, "--attempts", "10")...)
			before := counted.Requests(t)
			if before == 0 {
				t.Fatal("nothing is counted")
			}
			s.resumes(append(old, "--attempts", harness.Times(600))...)
			if asked := counted.Requests(t) - before; asked != 0 {
				t.Errorf("%s: the Go half is asked %d times", name, asked)
			}
		}
	})
}

// Does a ticket, or a session, cross from one server block of nginx to another?
func TestCrossings(t *testing.T) { harness.Crossings{Walker: walk, Store: true}.Run(t) }
