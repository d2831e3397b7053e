package sessioncache

import (
	"bytes"
	"crypto/subtle"
)

// work is the scratch memory of one operation, so that none is allocated.
type work struct {
	keys  []*sealingKey // the first one seals
	now   uint32        // when the operation began
	row   Row           // for which context it is counted
	why   Counter       // a lookup that has found none: the reason
	key   LookupKey
	aad   [len(LookupKey{}) + 4 + tagSize]byte
	nonce [gcmNonce]byte
	sum   [blockSize]byte
	text  []byte // what is hashed or sealed
	entry Entry

	// Few owners and terms are in use at a time, of which the tags are the same each time.
	owners, terms [rememberedTags]rememberedTag
	// So are few server names, which lead where they did for as long as their watches hold.
	routes [rememberedRoutes]rememberedRoute
}

const (
	rememberedTags   = 4
	rememberedRoutes = 8
)

// rememberedTag is that of a digest under a key, of which there are others at other times.
type rememberedTag struct {
	under *sealingKey
	of    [32]byte
	tag   Tag
}

// rememberedRoute is what a server name has led to, as the store said.
type rememberedRoute struct {
	under *sealingKey
	owner [32]byte
	name  []byte // in lower case
	terms [32]byte
	watch Watch
}

// wipe makes it what it was: it clears the session that was sealed or opened last.
func (w *work) wipe() {
	clear(w.text)
	clear(w.entry.Sealed)
	w.entry.Spent, w.entry.Once = false, false
}

// lookup sets w.key to the key of a session id under the i-th sealing key.
func (w *work) lookup(i int, id []byte) {
	w.keys[i].mac.sum(&w.sum, ofID, id)
	w.key = w.sum
	w.key.mark(false)
}

// lookupRoute sets w.key to the key of a route under the i-th sealing key.
func (w *work) lookupRoute(i int, owner *[32]byte, serverName string) {
	w.text = appendLower(append(w.text[:0], owner[:]...), serverName)
	w.keys[i].mac.sum(&w.sum, ofRoute, w.text)
	w.key = w.sum
	w.key.mark(true)
}

// placeOf is where a route is remembered; it sets w.text to the name.
func (w *work) placeOf(serverName string) *rememberedRoute {
	w.text = appendLower(w.text[:0], serverName)
	sum := byte(len(w.text))
	for _, letter := range w.text {
		sum = sum*31 + letter
	}
	return &w.routes[sum%rememberedRoutes]
}

// routeOf is a route that is remembered and holds, or nil.
func (w *work) routeOf(owner *[32]byte, serverName string) *rememberedRoute {
	r := w.placeOf(serverName)
	if r.under == w.keys[0] && r.owner == *owner && bytes.Equal(r.name, w.text) && r.watch.holds(int64(w.now)) {
		return r
	}
	return nil
}

// remember keeps a route in the place of another one.
func (w *work) remember(owner *[32]byte, serverName string, terms *[32]byte, watch *Watch) {
	r := w.placeOf(serverName)
	r.under, r.owner, r.terms, r.watch = w.keys[0], *owner, *terms, *watch
	r.name = append(r.name[:0], w.text...)
}

// lookupRecord sets w.key to the key of a record under the i-th sealing key.
func (w *work) lookupRecord(i int, name string) {
	w.keys[i].mac.sum(&w.sum, ofRecord, []byte(name))
	w.key = w.sum
	w.key.mark(false)
}

func (w *work) ownerTag(i int, owner *[32]byte) Tag { return w.tagOf(&w.owners, i, ofOwner, owner) }

func (w *work) termsTag(i int, terms *[32]byte) Tag { return w.tagOf(&w.terms, i, ofTerms, terms) }

// tagOf is the tag of a digest under the i-th sealing key, which is remembered.
func (w *work) tagOf(tags *[rememberedTags]rememberedTag, i int, of hashed, digest *[32]byte) Tag {
	r := &tags[digest[0]%rememberedTags]
	if r.under != w.keys[i] || r.of != *digest {
		*r = rememberedTag{w.keys[i], *digest, w.tag(i, of, digest[:])}
	}
	return r.tag
}

// nameTag is zero where there is no name.
func (w *work) nameTag(i int, serverName string) Tag {
	if serverName == "" {
		return Tag{}
	}
	w.text = appendLower(w.text[:0], serverName)
	return w.tag(i, ofName, w.text)
}

// tag makes a tag, which is never zero.
func (w *work) tag(i int, of hashed, text []byte) Tag {
	w.keys[i].mac.sum(&w.sum, of, text)
	if t := Tag(w.sum[:]); t != (Tag{}) {
		return t
	}
	return Tag{1}
}

// shares reports whether a session with those tags may be had by a handshake of that origin, and notes why not.
func (w *work) shares(i int, head []byte, o *Origin) bool {
	if terms := w.termsTag(i, &o.Terms); !sameTag(terms, Tag(head)) {
		w.why = MissedTerms
		return false
	}
	stored := Tag(head[tagSize:])
	if o.ServerName == "" || stored == (Tag{}) || sameTag(w.nameTag(i, o.ServerName), stored) {
		return true
	}
	w.why = MissedName
	return false
}

func sameTag(a, b Tag) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// flushed reports whether the context that asks has flushed the session in w.entry, of the i-th key: one of its own, that is
// there, has been stored since.
func (w *work) flushed(i int, o *Origin) bool {
	return int64(w.entry.Expires) < o.Flushed && w.ownerTag(i, &o.Owner) != OwnerOf(w.entry.Sealed)
}
