package window

import "gosess/sessioncache"

// A Window is the sessioncache.News of a worker.
var _ sessioncache.News = (*Window)(nil)

// Stored tells the agent of a session.
func (w *Window) Stored(key *sessioncache.LookupKey, expires uint32) {
	w.Tell(Item{Stored, *key, expires})
}

// Removed tells it that a session was removed.
func (w *Window) Removed(key *sessioncache.LookupKey, expires uint32) {
	w.Tell(Item{Removed, *key, expires})
}

// Flushed tells it that the sessions of an owner were flushed.
func (w *Window) Flushed(owner *sessioncache.Tag, before uint32) { w.Tell(Flush(owner, before)) }

// Made tells it of a record.
func (w *Window) Made(key *sessioncache.LookupKey, expires uint32) {
	w.Tell(Item{Made, *key, expires})
}
