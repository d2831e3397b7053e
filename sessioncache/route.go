package sessioncache

import (
	"bytes"
	"context"
	"encoding/binary"
)

// A route is what a server name led to when a handshake was full: the terms. A host that looks a session
// up before it looks at the name (nginx does) cannot say by itself which terms the name will
// have; what is not known from an earlier handshake is a full one. Routes lie in the store beside the
// sessions, so the workers of one configuration, which have one owner, learn from each other.
//
// A route is sealed as: 1 byte, whether it is unstable; the terms; and for each of the terms that it
// had before when that ended, in unix seconds, and the first bytes of the terms.
const (
	routeHead    = 1 + 32
	earlierTerms = 8
	earlierSize  = 4 + earlierTerms

	// A route is kept for so long after its last use, and remembers for so long what it was before, in seconds.
	routeLife = 24 * 3600
	// What changes so often in that time is no property of the name.
	routeChanges = 8
	// Others may write to a route between a look at it and a write.
	routeAttempts = 4
)

// Learn notes that a full handshake for that server name had those terms. Where a name goes back to terms that it
// had before, it leads to two things: then it has no route any more.
func (c *Cache) Learn(ctx context.Context, owner [32]byte, serverName string, terms [32]byte) {
	w := c.begin()
	defer c.end(w)
	for range routeAttempts {
		old := c.findRoute(ctx, w, &owner, serverName)
		changed := w.learn(old, &terms)
		if !changed && !w.fading() {
			return
		}
		err := c.putRoute(ctx, w, &owner)
		if err == ErrChanged {
			continue
		}
		if err != nil && changed && old != nil {
			c.drop(ctx, w) // what is known to be wrong is not kept
		}
		return
	}
	w.lookupRoute(0, &owner, serverName)
	for range Duplicates {
		found, err := c.store.Find(ctx, &w.key, &w.entry)
		if err != nil {
			c.fail(w.row, err)
		}
		if err != nil || !found {
			return
		}
		c.drop(ctx, w)
	}
}

// Route returns what a server name led to last. Not ok: that is not known, or not always the same.
func (c *Cache) Route(ctx context.Context, owner [32]byte, serverName string) (terms [32]byte, ok bool) {
	w := c.begin()
	defer c.end(w)
	if known := w.routeOf(&owner, serverName); known != nil {
		return known.terms, true
	}
	terms, watch, ok := c.watchRoute(ctx, w, &owner, serverName)
	if ok && watch.Word != nil {
		w.remember(&owner, serverName, &terms, &watch)
	}
	return terms, ok
}

// WatchRoute is Route for a caller that asks often: the answer holds for as long as the watch says.
func (c *Cache) WatchRoute(ctx context.Context, owner [32]byte, serverName string) (terms [32]byte, watch Watch, ok bool) {
	w := c.begin()
	defer c.end(w)
	return c.watchRoute(ctx, w, &owner, serverName)
}

func (c *Cache) watchRoute(ctx context.Context, w *work, owner *[32]byte, serverName string) (terms [32]byte, watch Watch, ok bool) {
	route := c.findRoute(ctx, w, owner, serverName)
	if len(route) < routeHead {
		return terms, watch, false
	}
	if ok = route[0] == 0; ok {
		terms = [32]byte(route[1:])
		if store, can := c.store.(Watchable); can {
			watch = store.Watch(&w.entry)
			watch.Until = int64(w.entry.Expires) - routeLife // then it is fading
		}
	}
	if w.fading() {
		w.text = append(w.text[:0], route...)
		_ = c.putRoute(ctx, w, owner) // else the next one does
	}
	return terms, watch, ok
}

// findRoute looks a route up, for w.key under the key that seals. What is there under another one is moved.
func (c *Cache) findRoute(ctx context.Context, w *work, owner *[32]byte, serverName string) []byte {
	w.lookupRoute(0, owner, serverName)
	route := c.find(ctx, w, 0)
	for i := 1; route == nil && i < len(w.keys); i++ {
		w.lookupRoute(i, owner, serverName)
		old := c.find(ctx, w, i)
		moves := old != nil && c.drop(ctx, w)
		moved := bytes.Clone(old)
		w.lookupRoute(0, owner, serverName)
		w.entry.Handle = Handle{}
		if moves {
			w.text = append(w.text[:0], moved...)
			_ = c.putRoute(ctx, w, owner) // else it is learned again
			route = c.find(ctx, w, 0)
		}
	}
	return route
}

// fading reports whether the route that was found is to be written again, because it is used.
func (w *work) fading() bool { return int64(w.entry.Expires)-int64(w.now) < routeLife }

// putRoute stores w.text as the route of w.key, unless somebody has changed what was found meanwhile.
func (c *Cache) putRoute(ctx context.Context, w *work, owner *[32]byte) error {
	expires := seconds(int64(w.now) + 2*routeLife)
	if err := w.keys[0].sealer.seal(w, w.ownerTag(0, owner), expires); err != nil {
		return err
	}
	return c.store.Swap(ctx, &w.key, &w.entry, expires, w.now)
}

// learn sets w.text to the route that old, nil where there is none, and a full handshake make
// together. It reports whether that is another one.
func (w *work) learn(old []byte, terms *[32]byte) (changed bool) {
	w.text = w.text[:0]
	switch {
	case len(old) < routeHead:
		w.text = append(append(w.text, 0), terms[:]...)
		return true
	case old[0] != 0 || [32]byte(old[1:]) == *terms:
		w.text = append(w.text, old...)
		return false
	}
	w.text = append(append(w.text, 0), terms[:]...)
	le := binary.LittleEndian
	for earlier := old[routeHead:]; len(earlier) >= earlierSize; earlier = earlier[earlierSize:] {
		if int64(le.Uint32(earlier))+routeLife < int64(w.now) {
			continue
		}
		if string(earlier[4:earlierSize]) == string(terms[:earlierTerms]) {
			w.text[0] = 1
		}
		w.text = append(w.text, earlier[:earlierSize]...)
	}
	w.text = append(le.AppendUint32(w.text, w.now), old[1:1+earlierTerms]...)
	if len(w.text) > routeHead+routeChanges*earlierSize {
		w.text[0] = 1
	}
	if w.text[0] != 0 {
		w.text = w.text[:routeHead]
	}
	return true
}
