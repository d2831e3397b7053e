package doctor

import (
	"context"

	"gosess/internal/probe"
)

// reuse offers TLS 1.3 tickets twice, and sends early data twice where it is accepted at all. The request is HEAD for the first
// page, which changes nothing.
func (e *examiner) reuse(ctx context.Context) {
	found := Reuse{}
	elsewhere := len(e.report.Addresses) - 1 // the first, where there is one
	session, ok := e.ticket(ctx)
	if !ok {
		return
	}
	found.Early = session.MaxEarly
	found.Twice = e.accepted(ctx, session, 0, 0)
	if session, ok = e.ticket(ctx); ok && elsewhere > 0 {
		found.TwiceOther = e.accepted(ctx, session, 0, elsewhere)
	}
	if found.Early > 0 && e.talk.HTTP() {
		e.earlyData(ctx, &found, elsewhere)
	}
	e.report.Reuse = &found
}

// ticket is a new one, of a full handshake at the first address.
func (e *examiner) ticket(ctx context.Context) (session probe.Session, ok bool) {
	seen, err := e.fresh(ctx, probe.ByPSK, e.name)
	if err != nil || len(seen.Sessions) == 0 {
		return session, false
	}
	return seen.Sessions[0], true
}

// accepted says whether a session is resumed at each of these addresses, one after the other.
func (e *examiner) accepted(ctx context.Context, session probe.Session, addresses ...int) bool {
	for _, at := range addresses {
		seen, err := e.visit(ctx, at, probe.Ask{Name: e.name, Kind: probe.ByPSK, Session: &session})
		if err != nil || !seen.Resumed {
			return false
		}
	}
	return true
}

// earlyData sends early data, and then such bytes twice, as somebody does who has seen them on the wire.
func (e *examiner) earlyData(ctx context.Context, found *Reuse, elsewhere int) {
	send := func(at int, before string) bool {
		session, ok := e.ticket(ctx)
		if !ok || session.MaxEarly == 0 {
			return false
		}
		seen, err := e.visit(ctx, at, probe.Ask{Name: e.name, Kind: probe.ByPSK, Session: &session, Early: true, Before: before})
		return err == nil && seen.Early
	}
	found.Accepted = send(0, "")
	if !found.Accepted {
		return
	}
	here := e.report.Addresses[0].Address
	found.Replayed = send(0, here)
	if elsewhere > 0 {
		found.ReplayOther = send(elsewhere, here)
	}
}
