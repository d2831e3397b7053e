package serve

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"gosess/agent/internal/far"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

const (
	// followEvery is how often the agent looks what other machines have removed.
	followEvery = 500 * time.Millisecond
	// catchUpTries is how often the log is read where the far store is found, before the agent goes on without it: in a cluster the
	// shard that has it may be the one that does not answer.
	catchUpTries = 2
)

// A follower does what other machines say in the log of the fleet. It begins with all that the log still has.
type follower struct {
	*machine
	position string
	started  bool    // the log was read to its end once
	gap      far.Gap // since the log was read to its end the last time: it is read anew
	read     int     // events since the gap
	told     int     // events since somebody has told of flushes again
	patience int     // after how many of them this machine does
}

// follow does what other machines say, until the agent is stopped. Where the far store is found, nothing is asked of it and nothing
// delivered before what was said meanwhile is done: what this machine has stored may have been flushed since.
func (m *machine) follow() {
	f := follower{machine: m, patience: far.LogLength/2 + rand.IntN(far.LogLength/4)}
	for tries := 0; m.waitToFollow(); {
		done := f.catchUp()
		if !m.linked.Load() {
			tries = 0
			continue
		}
		if tries++; done || tries >= catchUpTries {
			m.found()
		}
	}
}

// waitToFollow returns when it is time to look, and reports whether the agent goes on.
func (m *machine) waitToFollow() bool {
	timer := time.NewTimer(followEvery)
	defer timer.Stop()
	select {
	case <-m.stop:
		return false
	case <-timer.C:
	case <-m.linking:
	}
	return true
}

// found says that the far store is there. It may be lost at the same moment.
func (m *machine) found() {
	if m.up.Swap(true) {
		return
	}
	if !m.linked.Load() {
		m.up.Store(false)
		return
	}
	m.outbox.wake()
	m.far.Probe() // which opens the gate
}

// catchUp reads the log to its end, and reports whether it could.
func (f *follower) catchUp() bool {
	for f.linked.Load() && !f.stopping.Load() {
		events, next, gap, err := f.far.Since(f.position)
		switch {
		case err != nil:
			return false
		case gap != far.None:
			again := f.gap != far.None
			if f.position, f.gap, f.read = "", gap, 0; again {
				return false
			}
			continue
		case next == f.position:
			f.started = true
			return f.mend() && f.tellAgain()
		}
		for i := range events {
			if !f.obey(&events[i]) { // all of it again: what is done twice does no harm
				return false
			}
		}
		f.position = next
		f.read += len(events)
		f.told += len(events)
	}
	return false
}

// mend makes up for a log that is not what it was, and reports whether it could. Where it is as long as logs become, events were
// dropped from its beginning before this machine had read them. Else the far store has lost it, and with it what machines have told
// it: this one tells again what is not told by sessions.
func (f *follower) mend() bool {
	switch {
	case f.gap == far.None:
		return true
	case f.gap == far.All && f.read >= far.LogLength:
		f.log.Notice("gap", "removals of other machines were missed: all sessions of the near store are dropped")
		f.near.Flush(context.Background(), nil, 0)
	default:
		f.log.Notice("lost", "the far store has lost what machines have told it: it is told again of flushes, and of the secrets of tickets")
	}
	if f.told = f.patience; !f.tellAgain() {
		return false
	}
	var records []window.Item
	f.near.EachRecord(now(), func(key *sessioncache.LookupKey, e *sessioncache.Entry) {
		records = append(records, window.Item{Kind: window.Made, Key: *key, Expires: e.Expires})
	})
	f.outbox.add(records)
	f.gap = far.None
	return true
}

// tellAgain tells of all flushes again before the log has forgotten them, and reports whether it could: what was flushed lies in the far
// store, for machines that begin later too. Who is first saves the others from it.
func (f *follower) tellAgain() bool {
	if f.told < f.patience {
		return true
	}
	for _, flush := range f.gone.known() {
		if f.far.Post(far.Event{From: f.id, Flush: &flush}) != nil {
			return false
		}
	}
	f.told = 0
	return true
}

// obey does what an event says, unless it is one's own, and reports whether that was possible.
func (f *follower) obey(e *far.Event) bool {
	if e.From == f.id {
		return true
	}
	if e.Flush != nil {
		if f.gone.flush(e.Flush) {
			f.flush(e.Flush)
		} else {
			f.told = 0
		}
		return true
	}
	f.gone.remove(e.Remove)
	for i := range e.Remove {
		f.drop((*sessioncache.LookupKey)(&e.Remove[i]))
	}
	return f.fetch(e.Made)
}

// flush flushes the near store. What it got after a flush that was told before this agent was there stays.
func (f *follower) flush(flush *far.Flush) {
	var owner *sessioncache.Tag
	if len(flush.Owner) > 0 {
		tag := sessioncache.Tag(flush.Owner)
		owner = &tag
	}
	if f.started {
		f.near.Flush(context.Background(), owner, flush.Before)
	} else {
		f.near.FlushMade(owner, flush.Before, int64(flush.Made))
	}
}

// fetchPart is the part of the room for records, in quarters, that what nobody has asked for may fill: what the far store says is made may be
// anything, and this machine's own secrets need room.
const fetchPart = 3

// fetch has records near that other machines have made, before anybody asks for them: sealing keys are such records.
func (m *machine) fetch(keys []far.Key) bool {
	ops := make([]far.Op, len(keys))
	for i := range keys {
		ops[i] = far.Op{Kind: far.Get, Key: keys[i]}
	}
	if len(ops) > 0 {
		m.far.Do(ops)
	}
	room := m.near.RecordRoom() * fetchPart / 4
	if len(ops) > 0 {
		m.near.EachRecord(now(), func(*sessioncache.LookupKey, *sessioncache.Entry) { room-- })
	}
	for i := range ops {
		if err := ops[i].Err; err != nil && !errors.Is(err, far.ErrRefused) {
			return false
		}
		if e := &ops[i].Entry; ops[i].Found && room > 0 {
			room--
			m.addRecord((*sessioncache.LookupKey)(&keys[i]), e)
		}
	}
	return true
}
