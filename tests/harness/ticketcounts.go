package harness

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"gosess/sessioncache"
)

// SecretThatEnds is a period of tickets, the begin of one, and a timeout under which its secret ends as soon as it can after a time. All in
// seconds. A secret lives for its timeout after the period, which counts as the next power of two, and half a minute more.
func SecretThatEnds(after int64) (period, begin, timeout, end int64) {
	end = after + 24*3600
	for minutes := int64(5); minutes <= 30; minutes++ {
		for class := int64(1); class <= 1<<14; class *= 2 {
			length := 60 * minutes
			last := (after - class - 30 + length - 1) / length * length // of the period
			if last+class+30 < end {
				period, begin, timeout, end = length, last-length, class, last+class+30
			}
		}
	}
	return period, begin, timeout, end
}

// ticketCounts is what gosess stats says of tickets.
type ticketCounts struct{ TicketsMade, TicketsAccepted, TicketsUnknown, TicketsEnded, TicketsRefused uint64 }

func (c *ticketCounts) add(more ticketCounts) {
	c.TicketsMade += more.TicketsMade
	c.TicketsAccepted += more.TicketsAccepted
	c.TicketsUnknown += more.TicketsUnknown
	c.TicketsEnded += more.TicketsEnded
	c.TicketsRefused += more.TicketsRefused
}

// readTicketCounts reads them: in all, of the contexts together, and of the secrets together.
func readTicketCounts(store []string) (all ticketCounts, err error) {
	var stats struct {
		ticketCounts
		Contexts, Secrets []ticketCounts
	}
	if err := readStore(&stats, store); err != nil {
		return all, err
	}
	var contexts, secrets ticketCounts
	for _, c := range stats.Contexts {
		contexts.add(c)
	}
	for _, s := range stats.Secrets {
		secrets.add(s)
	}
	all = stats.ticketCounts
	if contexts != all || secrets.TicketsMade != all.TicketsMade || secrets.TicketsAccepted != all.TicketsAccepted {
		text, _ := json.Marshal(stats)
		err = fmt.Errorf("contexts, secrets and all together do not agree: %s", text)
	}
	return all, err
}

// wantTickets waits until gosess stats says of tickets what their clients know of them: a server counts what it has accepted when
// the connection ends, at the latest, which no client sees.
func wantTickets(t *testing.T, store []string, want ticketCounts) {
	t.Helper()
	var got ticketCounts
	var err error
	if WaitFor("the server to count its tickets", func() bool {
		got, err = readTicketCounts(store)
		return err == nil && got == want
	}) != nil {
		t.Errorf("the store says %+v, the clients %+v; %v", got, want, err)
	}
}

// Counted wants gosess stats to say how many tickets a server has made and accepted, and why not the others: as many as its clients
// have seen.
func (e TicketEnds) Counted(t *testing.T) {
	NeedBuild(t)
	dir := e.System.TempDir(t)
	env, err := Preload("shm:" + filepath.Join(dir, "store") + "?size=4m")
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.New(t, dir, append(env, "GOSESS_TICKETS=shared"))
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := e.New(t, e.System.TempDir(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	StartFor(t, s)
	StartFor(t, stranger)
	file := filepath.Join(dir, "sessions")
	come := func(to *Subject, client []string, more ...string) Result {
		t.Helper()
		return Loaded(t, to.Port, slices.Concat(client, to.Arguments, more)...)
	}
	var want ticketCounts
	for _, client := range ticketClients {
		want.TicketsMade += uint64(come(s, client, "--sessions", "4", "--attempts", "0", "--save", file).Tickets)
		r := come(s, client, "--load", file, "--attempts", "12")
		want.TicketsMade, want.TicketsAccepted = want.TicketsMade+uint64(r.Tickets), want.TicketsAccepted+uint64(r.Resumed)
		if r.Resumed != 12 {
			t.Errorf("%v: resumed %d of 12", client, r.Resumed)
		}
		if slices.Contains(client, "--sni") { // the same under another name
			r = come(s, client, "--sni", "second.test", "--load", file, "--attempts", "3")
			want.TicketsMade, want.TicketsRefused = want.TicketsMade+uint64(r.Tickets), want.TicketsRefused+uint64(r.Full)
		}
		come(stranger, client, "--sessions", "2", "--attempts", "0", "--save", file)
		r = come(s, client, "--load", file, "--attempts", "2")
		want.TicketsMade, want.TicketsUnknown = want.TicketsMade+uint64(r.Tickets), want.TicketsUnknown+uint64(r.Full)
	}
	if want.TicketsMade == 0 || want.TicketsAccepted != 48 || want.TicketsRefused != 6 || want.TicketsUnknown != 8 {
		t.Errorf("the clients have seen %+v", want)
	}
	wantTickets(t, storeOf(s.Env, nil), want)
	if stats, err := ReadStats(storeOf(s.Env, nil)...); err != nil || stats[sessioncache.Hits] != 0 {
		t.Errorf("%+v %v", stats, err)
	}
}
