package doctor

import (
	"context"
	"time"

	"gosess/internal/probe"
)

// agesTried is at how many ages sessions are offered, each twice the one before; the last is the whole time.
const agesTried = 6

// last keeps sessions for a time and offers them at growing ages, each once, because resuming one may renew it. Beside them one
// client comes at each of these times, with what it was given the last time.
func (e *examiner) last(ctx context.Context, whole time.Duration) {
	began := time.Now()
	stocks := map[*Way][]probe.Session{}
	chains := map[*Way]*held{}
	for _, way := range e.report.Ways {
		for range agesTried + 1 {
			seen, err := e.fresh(ctx, way.Kind, e.name)
			if err == nil && gives(way.Kind, seen.Sessions) != givesNothing {
				stocks[way] = append(stocks[way], seen.Sessions[len(seen.Sessions)-1])
			}
		}
		if len(stocks[way]) == agesTried+1 {
			chains[way] = &held{session: stocks[way][agesTried]}
			e.report.Lasting = append(e.report.Lasting, &Lasting{Way: way.Name, Hint: way.Hint})
		}
	}
	for n := range agesTried {
		age := whole >> (agesTried - 1 - n)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(began.Add(age))):
		}
		for _, way := range e.report.Ways {
			if chain := chains[way]; chain != nil {
				e.ageOne(ctx, way, &stocks[way][n], chain, Duration(age))
			}
		}
	}
}

func (e *examiner) ageOne(ctx context.Context, way *Way, old *probe.Session, chain *held, age Duration) {
	lasting := e.report.lasting(way.Name)
	if seen, err := e.visit(ctx, 0, probe.Ask{Name: e.name, Kind: way.Kind, Session: old}); err == nil {
		if seen.Resumed {
			lasting.Resumed, lasting.Refused = age, 0
		} else if lasting.Refused == 0 {
			lasting.Refused = age
		}
	}
	if lasting.ChainEnd {
		return
	}
	seen, err := e.visit(ctx, 0, probe.Ask{Name: e.name, Kind: way.Kind, Session: &chain.session})
	switch {
	case err != nil:
	case !seen.Resumed:
		lasting.ChainEnd = true
	default:
		lasting.Chain = age
		if renewed(way.Kind, chain, seen) {
			chain.session = seen.Sessions[len(seen.Sessions)-1]
		}
	}
}
