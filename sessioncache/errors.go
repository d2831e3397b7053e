package sessioncache

import "errors"

// ErrKeys is returned by [New] where there is no sealing key, or one of another size.
var ErrKeys = errors.New("sealing keys must be one or more, of 32 bytes each")

// ErrSpoilt is what OnError is told of an entry that does not open: it is dropped.
var ErrSpoilt = errors.New("an entry of the store was damaged, and is dropped")

// Errors of [Cache.Put]. The session is not stored.
var (
	// ErrTooBig is returned for a session of more than [MaxDER] bytes.
	ErrTooBig = errors.New("session too big")
	// ErrExpired is returned for a session whose time is over.
	ErrExpired = errors.New("session expired")
	// ErrInvalid is returned for a session without id or bytes, or with an id of
	// more than [MaxID] bytes.
	ErrInvalid = errors.New("session without a usable id or bytes")
	// ErrCounter is returned when a process has sealed 2^48 sessions.
	ErrCounter = errors.New("sealing counter used up")
)

// Errors of a [Store], which [Cache.Put] returns too. Those of a store of another kind may be others.
var (
	// ErrInterrupted is returned when this process was held up in the middle of a
	// write for so long that another one took its place.
	ErrInterrupted = errors.New("write interrupted")
	// ErrBusy is returned where so many wrote at once that waiting for them would
	// have held up a handshake.
	ErrBusy = errors.New("too many writers at once")
	// ErrChanged is returned by [Store.Swap] where somebody else was first.
	ErrChanged = errors.New("changed meanwhile")
)

// Errors of [Records.AddRecord] and [Cache.AddRecord]. The record is not stored.
var (
	// ErrExists is returned where there is one of that name.
	ErrExists = errors.New("there is such a record")
	// ErrFull is returned where there is no room for another one.
	ErrFull = errors.New("no room for another record")
	// ErrNoRecords is returned where a store has no room for records at all.
	ErrNoRecords = errors.New("a store without records")
)
