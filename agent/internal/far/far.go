// Package far says what an agent asks of the store that machines share, and what lies there. Package remote does it.
//
// Entries lie there as they lie in the near store: sealed under keys that neither the agent nor the far store has. Whoever
// can write there can lose, replay or spoil entries, not read or forge them.
package far

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
)

// Key is the lookup key of an entry: a keyed hash.
type Key [16]byte

// MaxSealed is the size of the largest entry, sealed.
const MaxSealed = 6184

// Entry is what lies under a key.
type Entry struct {
	Sealed  []byte
	Expires uint32 // unix seconds
	Made    uint32 // when it was put, by the clock of the machine that did so
}

// version begins each value. Another one is another format, and no entry.
const version = 1

const headSize = 1 + 4 + 4

// Append appends the value that stands for the entry.
func (e *Entry) Append(value []byte) []byte {
	value = append(value, version)
	value = binary.LittleEndian.AppendUint32(value, e.Expires)
	value = binary.LittleEndian.AppendUint32(value, e.Made)
	return append(value, e.Sealed...)
}

// Parse reads a value, whoever wrote it, at a time in unix seconds. What is no entry, or none any more, is false.
func Parse(value []byte, now int64) (Entry, bool) {
	if len(value) <= headSize || len(value) > headSize+MaxSealed || value[0] != version {
		return Entry{}, false
	}
	e := Entry{Expires: binary.LittleEndian.Uint32(value[1:]), Made: binary.LittleEndian.Uint32(value[5:]), Sealed: value[headSize:]}
	return e, int64(e.Expires) >= now
}

// A Kind of operation.
type Kind uint8

const (
	Get     Kind = iota // the entry of a key
	Take                // the entry of a key, which is there no longer then: of several machines that take it, one has it
	Put                 // an entry under a key, in place of what is there
	Add                 // an entry under a key where there is none; the one that is there then, whoever put it
	Replace             // the same, where there is none or the one that is There
	Remove              // nothing under a key
	Push                // a message to all machines that listen, of which each hears or does not
)

// Op is one operation, and what became of it.
type Op struct {
	Kind    Kind
	Key     Key
	Entry   Entry  // for Put, Add and Replace; of all but Put the answer, if it is Found
	There   []byte // of Add: what is under the key, whatever it is; for Replace: what is to be replaced
	Message []byte
	Found   bool
	Err     error
}

// Why an operation has no answer.
var (
	// ErrAway: there is no connection, and nothing was sent.
	ErrAway = errors.New("the far store is away")
	// ErrLost: the connection ended before the answer came. It is not known what was done.
	ErrLost = errors.New("the connection to the far store was lost")
	// ErrRefused: the store has answered that it does not do this now, and has done nothing.
	ErrRefused = errors.New("the far store refuses")
)

// Store is the far store of a fleet. Its methods are safe for concurrent use; none waits for longer than it takes to notice
// that a connection is dead.
type Store interface {
	// Do does operations in their order, as far as they concern one key.
	Do(ops []Op)
	// Ask has operations done that get or take. It waits for nobody, and calls done when they are, perhaps at once. What is called there holds up
	// the answers of others.
	Ask(ops []Op, done func())
	// Shard is a number for the server that has a key, or the log where there is none; -1 where there is one server, or that is not known.
	Shard(key *Key) int
	// Post appends an event to the log of the fleet, of which each machine sees each.
	Post(event Event) error
	// Since returns the events after a position, oldest first, and the position after them. "" is the beginning. Where there is
	// a gap, that is all it says.
	Since(position string) (events []Event, next string, gap Gap, err error)
}

// Gap says that the event at a position is no longer in the log.
type Gap uint8

const (
	None Gap = iota
	Tail     // older ones are: the store has lost what came last
	All      // nor is any older one
)

// Event is what all machines of a fleet must do: to remove entries, to flush, or to have records that were made.
type Event struct {
	From   Machine
	Remove []Key
	Made   []Key
	Flush  *Flush
}

// Machine is random bytes, which an agent draws when it begins.
type Machine [8]byte

// Flush drops the entries of an owner.
type Flush struct {
	Owner  []byte // the tag that they begin with; none is everybody's
	Before uint32 // those that end before this time, or all where it is 0
	Made   uint32 // of those that were put by this time
}

// LogLength is how many events the log keeps, or a few more: hours of removals, in batches.
const LogLength = 20000

// MaxKeys is how many keys an event has at the most.
const MaxKeys = 256

const (
	kindRemove = 'r'
	kindMade   = 'm'
	kindFlush  = 'f'
	ownerSize  = 4
)

// Append appends the bytes that stand for the event.
func (e *Event) Append(to []byte) []byte {
	to = append(append(to, version), e.From[:]...)
	if f := e.Flush; f != nil {
		to = append(to, kindFlush)
		to = binary.LittleEndian.AppendUint32(to, f.Before)
		to = binary.LittleEndian.AppendUint32(to, f.Made)
		return append(to, f.Owner...)
	}
	kind, keys := byte(kindRemove), e.Remove
	if len(e.Made) > 0 {
		kind, keys = kindMade, e.Made
	}
	to = append(to, kind)
	for i := range keys {
		to = append(to, keys[i][:]...)
	}
	return to
}

// ParseEvent reads an event, whoever wrote it.
func ParseEvent(text []byte) (e Event, ok bool) {
	const head = 1 + len(e.From) + 1
	if len(text) < head || text[0] != version {
		return Event{}, false
	}
	e.From = Machine(text[1:])
	switch kind, body := text[head-1], text[head:]; {
	case kind == kindFlush && (len(body) == 8 || len(body) == 8+ownerSize):
		le := binary.LittleEndian
		e.Flush = &Flush{Before: le.Uint32(body), Made: le.Uint32(body[4:]), Owner: body[8:]}
		return e, true
	case (kind == kindRemove || kind == kindMade && len(body) > 0) && len(body)%len(Key{}) == 0 && len(body) <= MaxKeys*len(Key{}):
		keys := &e.Remove
		if kind == kindMade {
			keys = &e.Made
		}
		for ; len(body) > 0; body = body[len(Key{}):] {
			*keys = append(*keys, Key(body))
		}
		return e, true
	}
	return Event{}, false
}

// Covers reports whether the flush drops an entry.
func (f *Flush) Covers(e *Entry) bool {
	return e.Made <= f.Made && (f.Before == 0 || e.Expires < f.Before) && bytes.HasPrefix(e.Sealed, f.Owner)
}

// Includes reports whether the flush drops all that another one does.
func (f *Flush) Includes(other *Flush) bool {
	return f.Made >= other.Made && (f.Before == 0 || other.Before != 0 && f.Before >= other.Before) && bytes.HasPrefix(other.Owner, f.Owner)
}

// Seconds is a time in unix seconds as entries have it.
func Seconds(t int64) uint32 { return uint32(min(max(t, 0), math.MaxUint32)) }
