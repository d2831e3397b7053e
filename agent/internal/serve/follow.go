package serve

import (
	"context"
	"math/rand/v2"
	"time"

	"gosess/agent/internal/beat"
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
	resumed  bool    // it is known what the log has lost since the agent before this one read it
	absent   bool    // something, and there was no agent
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
	timer := time.NewTimer(beat.Until(followEvery))
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
	if !f.resume() {
		return false
	}
	f.outbox.beginRead()
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
			return f.mend() && f.tellAgain() && f.ended()
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

// resume looks whether the log still has what the agent before this one has read last, and reports whether it could.
func (f *follower) resume() bool {
	if f.resumed {
		return true
	}
	position := f.window.LogRead()
	if position == "" { // no agent has read it for this store, which has nothing of other machines
		f.resumed = true
		return true
	}
	_, _, gap, err := f.far.Since(position)
	f.gap, f.absent, f.resumed = gap, gap == far.All, err == nil
	return f.resumed
}

// ended is for a log that was read to its end. One that is empty gets a beginning, so that it is seen later what has gone from there.
func (f *follower) ended() bool {
	f.outbox.endRead()
	if f.position == "" {
		return f.far.Post(far.Event{From: f.id}) == nil
	}
	f.window.SetLogRead(f.position)
	return true
}

// mend makes up for a log that is not what it was, and reports whether it could. Where it is as long as logs become, events were
// dropped from its beginning before this machine had read them. Else the far store has lost it, and with it what machines have told
// it: this one tells again what is not told by sessions. Where there was no agent meanwhile, it is not known what that was.
func (f *follower) mend() bool {
	switch {
	case f.gap == far.None:
		return true
	case f.gap == far.All && (f.absent || f.read >= far.LogLength):
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
	f.gap, f.absent = far.None, false
	return true
}

// tellAgain tells of all flushes again before the log has forgotten them, and reports whether it could: what was flushed lies in the far
// store, for machines that begin later too. The first machine that does it saves the others from it.
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
	f.remove(e.Remove)
	return f.fetch(e.Made)
}

// remove drops what another machine has removed. If this one has stored it since then, as it had not heard of that, the far store has it again, and a
// machine that has heard may fetch it: so this one removes it too. An agent that begins does not know what the one before it has told.
func (f *follower) remove(keys []far.Key) {
	f.gone.remove(keys, true)
	var again []window.Item
	for i := range keys {
		key := sessioncache.LookupKey(keys[i])
		there := f.drop(&key)
		if f.outbox.forgetStored(key) || there && !f.started {
			again = append(again, window.Item{Kind: window.Removed, Key: key})
		}
	}
	f.outbox.add(again)
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
