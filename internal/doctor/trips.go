package doctor

import (
	"context"
	"sync"

	"gosess/internal/probe"
)

// A trip is a client that makes a full handshake at the first of its stops, and offers at each further one the newest
// session that it has. Clients that stay at one address are looked at apart from those that come to others.
type trip struct {
	stops  []int // addresses
	roving bool
}

// visitsOfTrip is how often a client comes again.
const visitsOfTrip = 3

// hopeless is after how many offers, none of which was taken, no more are made. Of four workers that each have their own one in
// four is taken: that none is, is not to be seen.
const hopeless = 30

// plan is the trips in which something is offered at least so many times: at one address, and from address to address.
func plan(addresses, visits int) []trip {
	count := (visits + visitsOfTrip - 1) / visitsOfTrip
	each := max((count+addresses-1)/addresses, 2)
	var trips []trip
	for n := range each * addresses {
		at := n % addresses
		trips = append(trips, trip{[]int{at, at, at, at}, false})
	}
	if addresses == 1 {
		return trips
	}
	for n := range max(count, addresses) {
		// Each address follows each other one: the distance grows with each round.
		step := 1 + n/addresses%(addresses-1)
		stops := make([]int, visitsOfTrip+1)
		for i := range stops {
			stops[i] = (n + i*step) % addresses
		}
		trips = append(trips, trip{stops, true})
	}
	return trips
}

// held is a session with the address that it was made at.
type held struct {
	session probe.Session
	from    int
}

// travel makes the trips of one kind, several at once.
func (e *examiner) travel(ctx context.Context, way *Way, trips []trip) {
	way.groupings = newGroupings(len(e.report.Addresses))
	var clients sync.WaitGroup
	next := make(chan trip)
	for range atOnce {
		clients.Go(func() {
			for t := range next {
				e.makeTrip(ctx, way, t)
			}
		})
	}
	for _, t := range trips {
		if e.worthwhile(way, t) && ctx.Err() == nil {
			next <- t
		}
	}
	close(next)
	clients.Wait()
	way.Groups = way.groupings.groups(e.report.addresses())
	all := way.All()
	way.AtLeast, way.AtMost = between(all.Resumed, all.Offered())
}

// worthwhile says whether a trip can show anything that is not known.
func (e *examiner) worthwhile(way *Way, t trip) bool {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if way.Fulls >= max(visitsOfTrip, len(e.report.Addresses)) && way.Given == 0 {
		return false
	}
	tally := way.tally(t)
	return tally.Resumed > 0 || tally.Refused < max(hopeless, len(e.report.Addresses))
}

func (w *Way) tally(t trip) *Tally {
	if t.roving {
		return &w.Other
	}
	return &w.Same
}

// makeTrip is one client.
func (e *examiner) makeTrip(ctx context.Context, way *Way, t trip) {
	var client []held
	for n, stop := range t.stops {
		ask := probe.Ask{Name: e.name, Kind: way.Kind}
		var offered *held
		if last := len(client) - 1; last >= 0 {
			offered = &client[last]
			ask.Session = &offered.session
			if way.Kind == probe.ByPSK { // each ticket once: RFC 8446, appendix C.4
				client = client[:last]
			}
		}
		seen, err := e.visit(ctx, stop, ask)
		if err != nil {
			continue
		}
		e.count(way, t, n, stop, offered, seen)
		client = keep(client, way.Kind, offered, stop, seen)
	}
}

// keep is what a client holds after a connection: of TLS 1.3 each ticket, of TLS 1.2 the newest session.
func keep(client []held, kind probe.Kind, offered *held, stop int, seen probe.Seen) []held {
	if gives(kind, seen.Sessions) == givesNothing {
		return client
	}
	if kind != probe.ByPSK {
		newest := seen.Sessions[len(seen.Sessions)-1]
		if seen.Resumed && !renewed(kind, offered, seen) {
			return client
		}
		return []held{{newest, stop}}
	}
	for _, session := range seen.Sessions {
		client = append(client, held{session, stop})
	}
	return client
}

// renewed says whether a resumption came with a ticket. Of TLS 1.2 libssl shows the old one where none has come.
func renewed(kind probe.Kind, offered *held, seen probe.Seen) bool {
	if len(seen.Sessions) == 0 || offered == nil {
		return false
	}
	return kind == probe.ByPSK || string(seen.Sessions[0].Ticket) != string(offered.session.Ticket)
}

// count takes up how a stop went.
func (e *examiner) count(way *Way, t trip, n, stop int, offered *held, seen probe.Seen) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	way.Spoken = true
	if !seen.Resumed {
		way.Fulls++
		if given := gives(way.Kind, seen.Sessions); given != givesNothing {
			way.Given++
			way.Gives, way.Hint = given, Duration(seen.Sessions[0].Hint)
		}
	}
	if n == 0 {
		return
	}
	tally := way.tally(t)
	tally.Visits++
	switch {
	case seen.Resumed:
		tally.Resumed++
		if t.roving {
			way.groupings.join(offered.from, stop)
		}
		if renewed(way.Kind, offered, seen) {
			way.Renewed++
		}
	case offered == nil:
		tally.Nothing++
	default:
		tally.Refused++
	}
}
