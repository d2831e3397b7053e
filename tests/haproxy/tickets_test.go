package haproxy_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// Tickets outlive all that happens to HAProxy in its default configuration.
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
		h, err := harness.NewHAProxy(dir)
		if err != nil {
			return nil, err
		}
		h.System, h.Env, h.Tickets = system, env, true
		return h.Subject(), nil
	},
	System: system,
}

// With a file of keys HAProxy sends no ticket where TLS 1.3 has used one (T12): with gosess each is followed by another.
func TestTicketsOfItsOwnKeysAreRenewed(t *testing.T) {
	t.Parallel()
	harness.RenewsUnderItsOwnKeys(t, func(t *testing.T, tickets string) (port int) {
		s := newServer(t)
		s.Tickets, s.Bind = true, "tls-ticket-keys "+s.ticketKeys()
		s.Env = append(s.Env, "GOSESS_TICKETS="+tickets)
		if tickets == "" {
			s.Env = nil
		}
		s.do(s.Start)
		return s.Port
	})
}

// ticketKeys is a file of keys for its tickets.
func (s *server) ticketKeys() (file string) {
	s.t.Helper()
	file = filepath.Join(s.Dir, "ticket.keys")
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("gosess tests", 4)))
	s.do(func() error { return os.WriteFile(file, []byte(strings.Repeat(key+"\n", 3)), 0o600) })
	return file
}

// Is nothing asked of the Go half for a ticket?
func TestTicketsAreResumedInC(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		s := newServer(t)
		counted := harness.NewCounted(t, s.Dir)
		s.Tickets, s.Env = true, append(append(s.Env, "GOSESS_TICKETS=shared"), counted.Env...)
		s.do(s.Start)
		file := filepath.Join(s.Dir, "sessions")
		s.load("--tls", version, "--sessions", harness.Times(200), "--attempts", "0", "--sni", "first.test", "--save", file)
		before := counted.Requests(t)
		if before == 0 {
			t.Fatal("nothing is counted")
		}
		s.resumes("--tls", version, "--sni", "first.test", "--load", file, "--attempts", harness.Times(600))
		if asked := counted.Requests(t) - before; asked != 0 {
			t.Errorf("TLS %s: the Go half is asked %d times", version, asked)
		}
		s.do(s.Stop)
	}
}

// A chain of tickets of TLS 1.3, each of which follows from the one before, ends seven days after its first handshake.
func TestChainsOfTicketsEnd(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	clock := harness.NewClock(t, s.Dir)
	s.Tickets, s.Global = true, "tune.ssl.lifetime 604800"
	s.Env = clock.For(append(s.Env, "GOSESS_TICKETS=shared"), 0)
	s.do(s.Start)
	harness.ChainsEnd(t, clock, s.Env, s.Port)
}

// Does a ticket cross from one place of HAProxy to another? Sessions it would answer from its own cache.
func TestCrossings(t *testing.T) { harness.Crossings{Walker: walk}.Run(t) }
