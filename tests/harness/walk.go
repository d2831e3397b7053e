package harness

import (
	"fmt"
	"testing"

	"gosess/sessioncache"
)

// Walk takes a server from state to state: sessions are made in each, and then offered in each.
type Walk struct {
	Guest       Guest // the store, and what all clients say
	Server      Server
	Ports       [2]int
	Credentials *Credentials
	Configure   func(hosts []VirtualHost) error // what the server is from its next start or reload on
	Env         *[]string                       // the server's, from its start on
	Again       func() error                    // makes it read its configuration again
	Judges      bool                            // it judges clients' certificates by itself: what it would say to them ends with each configuration
}

// NewWalk is one with two free ports, whose files are in a directory.
func NewWalk(t *testing.T, server Server, dir string, guest Guest) *Walk {
	t.Helper()
	w := &Walk{Guest: guest, Server: server, Credentials: NewCredentials(t, dir), Again: server.Reload}
	for i := range w.Ports {
		var err error
		if w.Ports[i], err = FreePort(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// Tickets are those of a server.
type Tickets int

const (
	NoTickets     Tickets = iota
	TicketKeys            // whose keys are in a file, and outlive reloads
	SharedTickets         // that gosess seals: GOSESS_TICKETS=shared
)

// Walker makes the walk of a server that is not yet started: with gosess, where it is preloaded, and with a store.
type Walker func(t *testing.T, version string, preloaded bool, tickets Tickets) *Walk

// OverReloads wants the sessions of each state to be offered in each as the rule says, where the server reloads in between.
func (w Walker) OverReloads(t *testing.T) {
	EachVersion(t, func(t *testing.T, version string) {
		walk := w(t, version, true, NoTickets)
		walk.Judge(t, walk.Run(t))
	})
}

// OverRestarts is the same with restarts.
func (w Walker) OverRestarts(t *testing.T) {
	OnlyWhereAll(t)
	EachVersion(t, func(t *testing.T, version string) {
		walk := w(t, version, true, NoTickets)
		walk.Again = func() error { return StopAndStart(walk.Server) }
		walk.Judge(t, walk.Run(t))
	})
}

// WithTickets is the same with tickets, which are the server's own, with gosess as without.
func (w Walker) WithTickets(t *testing.T) {
	OnlyWhereAll(t)
	EachVersion(t, func(t *testing.T, version string) {
		cells := func(preloaded bool) map[Cell]Outcome {
			walk := w(t, version, preloaded, TicketKeys)
			walk.Guest.Store = ""
			return walk.Run(t)
		}
		JudgeTickets(t, cells(false), cells(true))
	})
}

// WithSharedTickets wants a ticket of gosess to be worth what a session of its store is.
func (w Walker) WithSharedTickets(t *testing.T) {
	EachVersion(t, func(t *testing.T, version string) {
		walk := w(t, version, true, SharedTickets)
		walk.Guest.Store = "" // which is not asked
		walk.Judge(t, walk.Run(t))
	})
}

// Cell is a session of one state that is offered in another.
type Cell struct {
	From, To State
}

// Outcome is how often it was offered, resumed, and not served, and how often the store gave it out.
type Outcome struct {
	Attempts, Resumed, Errors int
	Hits                      uint64
}

// Run starts the server and fills all cells. What a name leads to may have to be learned at its first handshake: each state has one
// before anything is offered.
func (w *Walk) Run(t *testing.T) map[Cell]Outcome {
	t.Helper()
	times := "8" // each session twice
	if !All() {
		times = "4"
	}
	var made []string
	for i, state := range States {
		w.enter(t, state, i > 0)
		made = append(made, w.as(state).With("--sessions", "4").Sessions())
	}
	cells := map[Cell]Outcome{}
	for _, to := range States {
		w.enter(t, to, true)
		w.as(to).Visits()
		if w.Judges && to.Verified() && w.Guest.Store != "" {
			w.stays(t, to)
		}
		before := w.hits()
		for i, from := range States {
			client := to
			client.Kind = from.Kind // a client offers a session only where it would take the certificate too
			r, err := Load(w.Ports[to.Port], w.as(client).With("--load", made[i], "--attempts", times).Arguments...)
			if err != nil {
				t.Fatal(err)
			}
			after := w.hits()
			cells[Cell{from, to}] = Outcome{r.Attempts, r.Resumed, r.Errors, after - before}
			before = after
		}
	}
	return cells
}

// stays wants a client that is verified to be resumed by all processes of one configuration.
func (w *Walk) stays(t *testing.T, s State) {
	t.Helper()
	made := w.as(s).With("--sessions", "4").Sessions()
	r, err := Load(w.Ports[s.Port], w.as(s).With("--load", made, "--attempts", "8").Arguments...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Resumed != r.Attempts || r.Attempts == 0 {
		t.Errorf("%v must be resumed while its configuration lasts: %+v", s, r)
	}
}

// hits is how many sessions the store has given out.
func (w *Walk) hits() uint64 {
	if w.Guest.Store == "" {
		return 0
	}
	return w.Guest.Stats()[sessioncache.Hits]
}

// enter makes the server be as a state says.
func (w *Walk) enter(t *testing.T, s State, running bool) {
	t.Helper()
	w.configured(t, w.Credentials.Hosts(s), running)
}

// configured makes the server have these hosts.
func (w *Walk) configured(t *testing.T, hosts []VirtualHost, running bool) {
	t.Helper()
	again := w.Again
	if !running {
		again = w.Server.Start
	}
	err := w.Configure(hosts)
	if err == nil {
		err = again()
	}
	if err != nil {
		t.Fatalf("%v: %v", hosts, err)
	}
}

// as is the client of a state.
func (w *Walk) as(s State) Guest {
	return w.Guest.At(w.Ports[s.Port]).With(w.Credentials.client(s)...)
}

// Judge wants every cell to be as the rule says. Between its two states there was always a new configuration.
func (w *Walk) Judge(t *testing.T, cells map[Cell]Outcome) {
	t.Helper()
	allowed := 0
	for cell := range eachCell {
		ended := w.Judges && cell.From.Verified()
		o, may := cells[cell], MayResume(cell.From, cell.To) && !ended
		// A client of the other kind than the state's own may be shown nothing that it takes: HAProxy's default has one kind.
		served := cell.From.Kind == cell.To.Kind || o.Hits != 0
		switch {
		case o.Attempts == 0 || served && o.Errors != 0:
			t.Errorf("%v: %+v", cell, o)
		case !may && (o.Resumed != 0 || o.Hits != 0):
			t.Errorf("%v must be a full handshake: %+v", cell, o)
		case cell.From == cell.To && !ended && o.Resumed != o.Attempts:
			t.Errorf("%v must be resumed: %+v", cell, o)
		case may:
			allowed += o.Resumed
		}
	}
	t.Logf("resumed %d of what may be", allowed)
}

// JudgeTickets wants tickets, which no cache is asked about, to be worth as much with gosess as without it.
func JudgeTickets(t *testing.T, without, with map[Cell]Outcome) {
	t.Helper()
	resumed := 0
	for cell := range eachCell {
		if without[cell] != with[cell] {
			t.Errorf("%v: %+v, and with gosess %+v", cell, without[cell], with[cell])
		}
		resumed += with[cell].Resumed
	}
	if resumed == 0 {
		t.Error("no ticket is resumed anywhere")
	}
}

// eachCell calls yield with all cells, in order.
func eachCell(yield func(Cell) bool) {
	for _, from := range States {
		for _, to := range States {
			if !yield(Cell{from, to}) {
				return
			}
		}
	}
}

// String is how a cell is named where it is not as it should be.
func (c Cell) String() string {
	return fmt.Sprintf("a session of %v in %v", c.From, c.To)
}
