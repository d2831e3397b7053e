package harness

import (
	"slices"
	"strings"
	"testing"
)

// Crossings are what clients try between the places of one server, which has all of them at once.
type Crossings struct {
	Walker Walker // whose server it is
	Store  bool   // sessions of the store are tried too: nobody answers before it
}

// crossed are the places: two names with one certificate and with two, no name, a renewed certificate, clients who are asked for
// nothing or for a certificate of one authority or the other, and the same names at another port, where that is otherwise.
var crossed = []State{
	{"default.test", ECDSA, SameCertificates, SamePolicy, 0},
	{"", ECDSA, SameCertificates, SamePolicy, 0},
	{"own.test", ECDSA, SameCertificates, SamePolicy, 0},
	{"other.test", ECDSA, Other, SamePolicy, 0},
	{"one.test", ECDSA, SameCertificates, Stricter, 0},
	{"two.test", ECDSA, SameCertificates, OtherAuthority, 0},
	{"own.test", ECDSA, Renewed, SamePolicy, 1},
	{"one.test", ECDSA, SameCertificates, OtherAuthority, 1},
	{"two.test", ECDSA, SameCertificates, SamePolicy, 1},
}

// Run wants nothing of one place resumed at another where a full handshake would be another one, be it a ticket that gosess has sealed or
// a session of its store. The control is the same server without gosess, with a file of ticket keys: there something
// is (T17).
func (c Crossings) Run(t *testing.T) {
	EachVersion(t, func(t *testing.T, version string) {
		for name, tickets := range map[string]Tickets{"tickets": SharedTickets, "sessions": NoTickets} {
			if tickets == SharedTickets || c.Store {
				t.Run(name, func(t *testing.T) { c.judge(t, version, tickets) })
			}
		}
		t.Run("control", func(t *testing.T) {
			w, made := c.start(t, version, false, TicketKeys)
			var found []string
			for cell := range crossings {
				if o := w.offer(t, cell, made); o.Resumed != 0 && !MayResume(cell.From, cell.To) {
					found = append(found, cell.String())
				}
			}
			t.Logf("%d of %d cross:\n%s", len(found), len(crossed)*len(crossed), strings.Join(found, "\n"))
			if len(found) == 0 {
				t.Error("nothing crosses without gosess: who would see it with gosess?")
			}
		})
	})
}

func (c Crossings) judge(t *testing.T, version string, tickets Tickets) {
	w, made := c.start(t, version, true, tickets)
	for cell := range crossings {
		o := w.offer(t, cell, made)
		switch {
		case o.Attempts == 0 || o.Errors != 0:
			t.Errorf("%v: %+v", cell, o)
		case !MayResume(cell.From, cell.To) && (o.Resumed != 0 || o.Hits != 0):
			t.Errorf("%v must be a full handshake: %+v", cell, o)
		case cell.From == cell.To && o.Resumed != o.Attempts:
			t.Errorf("%v must be resumed: %+v", cell, o)
		}
	}
	for i, s := range crossed {
		w.hosts(t, s, made[i])
	}
}

// crossings calls yield with all pairs of places.
func crossings(yield func(Cell) bool) {
	for _, from := range crossed {
		for _, to := range crossed {
			if !yield(Cell{from, to}) {
				return
			}
		}
	}
}

// start starts a server that has all places, and makes sessions at each.
func (c Crossings) start(t *testing.T, version string, preloaded bool, tickets Tickets) (w *Walk, made []string) {
	t.Helper()
	w = c.Walker(t, version, preloaded, tickets)
	if tickets != NoTickets {
		w.Guest.Store = "" // which is not asked
	}
	var hosts []VirtualHost
	for _, s := range crossed {
		if s.Name == "" {
			continue
		}
		host := VirtualHost{Port: s.Port, Name: s.Name, Certificates: w.Credentials.pairs[s.Certificate], Lifetime: hostLifetime}
		if authority := w.Credentials.authority[s.Policy]; authority != nil {
			host.CA = authority.CA
		}
		hosts = append(hosts, host)
	}
	err := w.Configure(hosts)
	if err == nil {
		err = w.Server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range crossed {
		w.as(s).Visits() // what the name leads to may have to be learned
		made = append(made, w.as(s).With("--sessions", "2").Sessions())
	}
	return w, made
}

// offer offers what was made at one place at another one.
func (w *Walk) offer(t *testing.T, cell Cell, made []string) Outcome {
	t.Helper()
	before := w.hits()
	arguments := w.as(cell.To).With("--load", made[slices.Index(crossed, cell.From)], "--attempts", "2").Arguments
	r, err := Load(w.Ports[cell.To.Port], arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return Outcome{r.Attempts, r.Resumed, r.Errors, w.hits() - before}
}

// hosts has the client of a place ask for the host of another one: who is resumed is answered as who has made a full handshake.
func (w *Walk) hosts(t *testing.T, s State, made string) {
	t.Helper()
	for _, other := range crossed {
		if other.Port != s.Port || other.Name == s.Name || other.Name == "" {
			continue
		}
		client := w.as(s).With("--host-header", other.Name)
		ask := func(arguments ...string) Result {
			t.Helper()
			r, err := Load(w.Ports[s.Port], append(arguments, client.Arguments...)...)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		full, again := ask("--sessions", "2", "--attempts", "0"), ask("--load", made, "--attempts", "2")
		if full.Errors != again.Errors || again.Resumed+again.Errors != 2 {
			t.Errorf("the host %s, asked for by a client of %v: %+v, and resumed %+v", other.Name, s, full, again)
		}
	}
}
