package serve

import (
	"context"
	"time"

	"gosess/agent/internal/far"
	"gosess/sessioncache"
)

// followEvery is how often the agent looks what other machines have removed.
const followEvery = 500 * time.Millisecond

// follow does what other machines say, until the agent is stopped. It begins with all that the log of the fleet still has: what is
// done twice does no harm.
func (m *machine) follow() {
	position := ""
	for m.sleep(followEvery) {
		for m.up.Load() && !m.stopping.Load() {
			events, next, gap, err := m.far.Since(position)
			if err != nil || next == position && !gap {
				break
			}
			if gap {
				m.log.Notice("gap", "removals of other machines were missed: all sessions of the near store are dropped")
				m.near.Flush(context.Background(), nil, 0)
			}
			position = next
			for i := range events {
				m.obey(&events[i])
			}
		}
	}
}

// obey does what an event says, unless it is one's own.
func (m *machine) obey(e *far.Event) {
	if e.From == m.id {
		return
	}
	if f := e.Flush; f != nil {
		m.gone.flush(f)
		var owner *sessioncache.Tag
		if len(f.Owner) > 0 {
			tag := sessioncache.Tag(f.Owner)
			owner = &tag
		}
		m.near.Flush(context.Background(), owner, f.Before)
		return
	}
	m.gone.remove(e.Remove)
	for i := range e.Remove {
		m.drop((*sessioncache.LookupKey)(&e.Remove[i]))
	}
}
