package serve

import (
	"context"
	"errors"
	"time"

	"gosess/agent/internal/far"
	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// longestRecord is for how long, in seconds, a record may be there: no machine makes one for longer, whose clock is right by a day.
const longestRecord = sessioncache.AnnouncedLife + 24*3600

func isRecord(e *far.Entry) bool { return int64(e.Expires) <= time.Now().Unix()+longestRecord }

// addRecord puts a record of another machine into the near store, where there is none.
func (m *machine) addRecord(key *sessioncache.LookupKey, e *far.Entry) error {
	if !isRecord(e) {
		return sessioncache.ErrInvalid
	}
	err := m.near.AddRecord(context.Background(), key, e.Sealed, e.Expires, now())
	if err == nil {
		m.given.note(key, e.Sealed)
	}
	return err
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

// agree puts the record of the fleet in the place of this machine's own, where another machine was first. What is no record in the far store, or a
// damaged one, makes way for this machine's own instead, unless another machine is first in that.
func (m *machine) agree(item *window.Item, op *far.Op) {
	ours, found := m.look(&item.Key, true)
	is := func(e *far.Entry) bool { return found && string(ours.Sealed) == string(e.Sealed) }
	if found && !is(&op.Entry) && m.isSpoilt(item, op) {
		replace := []far.Op{{Kind: far.Replace, Key: op.Key, There: op.There, Entry: far.Entry{Sealed: ours.Sealed, Expires: ours.Expires, Made: now()}}}
		if m.far.Do(replace); replace[0].Err != nil {
			return // the next one is another chance
		}
		op = &replace[0]
	}
	theirs := &op.Entry
	if !op.Found || !isRecord(theirs) || is(theirs) {
		return
	}
	if found {
		m.near.DropRecord(context.Background(), &ours, now())
	}
	m.addRecord(&item.Key, theirs)
}

// isSpoilt reports whether no machine can use what was found in the far store, in the place of a record that a worker has made. The agent cannot open
// records. But where workers make another one each time that it has put it into the near store, it does not open.
func (m *machine) isSpoilt(item *window.Item, op *far.Op) bool {
	if op.There == nil {
		return false // nothing was, or is, to be told
	}
	there, isEntry := far.Parse(op.There, 0)
	hasEnded := int64(there.Expires)+sessioncache.Heard < time.Now().Unix() // by all clocks, and lies there for longer
	return !isEntry || hasEnded || op.Found && (!isRecord(&op.Entry) || m.given.isRefused(&item.Key, op.Entry.Sealed))
}
