package serve

import (
	"context"
	"errors"
	"time"

	"gosess/agent/internal/far"
	"gosess/sessioncache"
)

// followEvery is how often the agent looks what other machines have removed.
const followEvery = 500 * time.Millisecond

// follow does what other machines say, until the agent is stopped. It begins with all that the log of the fleet still has.
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
			done := true
			for i := range events {
				done = m.obey(&events[i]) && done
			}
			if !done { // all of it again: what is done twice does no harm
				break
			}
			position = next
		}
	}
}

// obey does what an event says, unless it is one's own, and reports whether that was possible.
func (m *machine) obey(e *far.Event) bool {
	if e.From == m.id {
		return true
	}
	if f := e.Flush; f != nil {
		m.gone.flush(f)
		var owner *sessioncache.Tag
		if len(f.Owner) > 0 {
			tag := sessioncache.Tag(f.Owner)
			owner = &tag
		}
		m.near.Flush(context.Background(), owner, f.Before)
		return true
	}
	m.gone.remove(e.Remove)
	for i := range e.Remove {
		m.drop((*sessioncache.LookupKey)(&e.Remove[i]))
	}
	return m.fetch(e.Made)
}

// fetch has records near that other machines have made, before anybody asks for them: sealing keys are such records.
func (m *machine) fetch(keys []far.Key) bool {
	ops := make([]far.Op, len(keys))
	for i := range keys {
		ops[i] = far.Op{Kind: far.Get, Key: keys[i]}
	}
	if len(ops) > 0 {
		m.far.Do(ops)
	}
	for i := range ops {
		if err := ops[i].Err; err != nil && !errors.Is(err, far.ErrRefused) {
			return false
		}
		if e := &ops[i].Entry; ops[i].Found {
			m.near.AddRecord(context.Background(), (*sessioncache.LookupKey)(&keys[i]), e.Sealed, e.Expires, now())
		}
	}
	return true
}
