package doctor

import (
	"context"
	"errors"

	"gosess/internal/probe"
)

// nobody is a name that no server has (RFC 6761, section 6.4).
const nobody = "gosess-doctor.invalid"

// crossNames offers sessions that were made under one name under another one, and the other way round, at the first address.
func (e *examiner) crossNames(ctx context.Context, way *Way, others []string) {
	mine, err := e.fresh(ctx, way.Kind, e.name)
	if err != nil {
		return
	}
	for _, other := range others {
		theirs, err := e.open(ctx, e.report.Addresses[0], probe.Ask{Name: other, Kind: way.Kind})
		if err != nil {
			continue // that name is refused
		}
		c := Crossing{Way: way.Name, From: e.name, To: other, SameCert: fingerprint(mine) == fingerprint(theirs),
			Verified: mine.Wants || theirs.Wants}
		e.cross(ctx, way, mine, c)
		c.From, c.To = c.To, c.From
		e.cross(ctx, way, theirs, c)
		if way.Kind == probe.ByPSK {
			if mine, err = e.fresh(ctx, way.Kind, e.name); err != nil {
				return
			}
		}
	}
}

// fresh is a full handshake at the first address.
func (e *examiner) fresh(ctx context.Context, kind probe.Kind, name string) (probe.Seen, error) {
	return e.visit(ctx, 0, probe.Ask{Name: name, Kind: kind})
}

// cross offers what was made under one name under the other one.
func (e *examiner) cross(ctx context.Context, way *Way, made probe.Seen, c Crossing) {
	if gives(way.Kind, made.Sessions) == givesNothing {
		return
	}
	session := made.Sessions[len(made.Sessions)-1]
	seen, err := e.open(ctx, e.report.Addresses[0], probe.Ask{Name: c.To, Kind: way.Kind, Session: &session})
	if err != nil && !errors.Is(err, probe.ErrRefused) { // refusing the connection is an answer too
		return
	}
	c.Resumed = seen.Resumed
	e.report.Crossings = append(e.report.Crossings, c)
}

// otherNames are those that a session is offered under beside its own: what the caller says, one that the certificate has, none
// and one that nobody has.
func (e *examiner) otherNames(said []string) []string {
	candidates := said
	for _, full := range e.report.Addresses[0].Full {
		for _, name := range full.names {
			if name != e.name {
				candidates = append(candidates, name)
				break
			}
		}
		break
	}
	var others []string
	known := map[string]bool{e.name: true}
	for _, name := range append(candidates, "", nobody) {
		if !known[name] {
			known[name] = true
			others = append(others, name)
		}
	}
	return others
}
