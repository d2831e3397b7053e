package httpd_test

import (
	"testing"

	"gosess/tests/harness"
)

// Tickets outlive all that happens to httpd in its default configuration, which has tickets and no cache.
func TestTicketsOutliveAll(t *testing.T) {
	t.Parallel()
	ticketEnds.Run(t)
}

// Does gosess stats count its tickets as its clients do?
func TestTicketsAreCounted(t *testing.T) {
	t.Parallel()
	ticketEnds.Counted(t)
}

var ticketEnds = harness.TicketEnds{
	New: func(_ *testing.T, dir string, env []string) (*harness.Subject, error) {
		h, err := harness.NewHTTPD(dir)
		if err != nil {
			return nil, err
		}
		h.Env = env
		return h.Subject(), nil
	},
}

// With a file of keys httpd sends no ticket where TLS 1.3 has used one (T12): with gosess each is followed by another.
func TestTicketsOfItsOwnKeysAreRenewed(t *testing.T) {
	t.Parallel()
	harness.RenewsUnderItsOwnKeys(t, func(t *testing.T, tickets string) (port int) {
		s := newServer(t)
		s.withTicketKey()
		s.Env = append(s.Env, "GOSESS_TICKETS="+tickets)
		if tickets == "" {
			s.Env = nil
		}
		s.do(s.Start)
		return s.Port()
	})
}

// A chain of tickets of TLS 1.3, each of which follows from the one before, ends seven days after its first handshake.
func TestChainsOfTicketsEnd(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	clock := harness.NewClock(t, s.Dir)
	s.SSL = "SSLSessionCacheTimeout 604800"
	s.Env = clock.For(append(s.Env, "GOSESS_TICKETS=shared"), 0)
	s.do(s.Start)
	harness.ChainsEnd(t, clock, s.Env, s.Port())
}

// Does a ticket, or a session, cross from one virtual host of httpd to another?
func TestCrossings(t *testing.T) { harness.Crossings{Walker: walk, Store: true}.Run(t) }
