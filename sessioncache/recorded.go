package sessioncache

import "context"

// MaxRecord is the largest value of a record in bytes, and MaxSealedRecord what a store is given
// of it.
const (
	MaxRecord       = 32
	MaxSealedRecord = MaxRecord + sealedHead + gcmTag
)

// Records is what a [Store] has besides that has room for a few small values which no session can
// push out. They are apart from the sessions, whatever their keys.
//
// Whoever adds a record where there is none is alone in that: of several, one is told nil and all
// others ErrExists. A record that has expired is not there. No method waits for another process.
type Records interface {
	// AddRecord stores sealed under key where nothing is. It is not empty, and not larger than
	// MaxSealedRecord.
	AddRecord(ctx context.Context, key *LookupKey, sealed []byte, expires, now uint32) error
	// FindRecord copies the record of key to e, false where there is none.
	FindRecord(ctx context.Context, key *LookupKey, e *Entry, now uint32) (bool, error)
	// DropRecord removes the record that FindRecord found.
	DropRecord(ctx context.Context, e *Entry, now uint32) error
	// ExpireRecords leaves nothing of what has expired.
	ExpireRecords(ctx context.Context, now uint32) error
	// RecordRoom is how many records there can be.
	RecordRoom() int
	// Published is another number after each record that was added, and 0 where none ever was.
	Published() uint64
}

// Recorded is a value of a record.
type Recorded struct {
	Value []byte
	Tally *Tally // where it is counted what the value is used for; nil where the store does not
}

// Countable is what a [Store] has besides whose counters others may add to: atomically, and as long as the store is mapped.
type Countable interface {
	// CountersOf are those of this process, and of a row; nil for the zero Row.
	CountersOf(row Row) (process, context *Counters)
	// TallyOf is that of the record which FindRecord has just found.
	TallyOf(e *Entry) *Tally
}
