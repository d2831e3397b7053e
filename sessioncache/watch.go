package sessioncache

import "sync/atomic"

// Watch says how to see, without looking it up again, that an entry is what it was when it was found. Whoever
// has the memory of the store mapped may look: as long as Word has the Value, Clock has counted no further than Span from
// Since, and the time is not over.
type Watch struct {
	Word        *uint64 // nil: that cannot be seen
	Value       uint64
	Clock       *uint64 // what is looked up around the entry. One that nobody looks up makes way
	Since, Span uint64
	Until       int64 // unix seconds: the last one
}

// holds reports whether the entry is what it was.
func (w *Watch) holds(now int64) bool {
	return now <= w.Until && atomic.LoadUint64(w.Clock)-w.Since <= w.Span && atomic.LoadUint64(w.Word) == w.Value
}

// Watchable is what a [Store] is besides whose entries can be watched.
type Watchable interface {
	// Watch is for an entry that Find has just found. Its Until is not set.
	Watch(e *Entry) Watch
}
