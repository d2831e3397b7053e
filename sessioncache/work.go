package sessioncache

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
)

// What a tag is of, so that what is hashed for one is never what is hashed for another.
const (
	ofOwner = 'o'
	ofTerms = 't'
	ofName  = 'n'
)

// work is the scratch memory of one operation, so that none is allocated.
type work struct {
	hashes []hashes // by key
	key    LookupKey
	aad    [len(LookupKey{}) + 4 + tagSize]byte
	nonce  [gcmNonce]byte
	sum    [sha256.Size]byte
	text   []byte // what is hashed or sealed
	entry  Entry
}

// hashes are those under one key. Nearly all handshakes of a process have one owner and one of a few
// terms, so the last tags are kept.
type hashes struct {
	index, tags  hash.Hash
	owner, terms lastTag
}

type lastTag struct {
	of  [32]byte
	tag Tag // zero where there is none yet
}

func newWork(keys []*sealingKey) *work {
	w := &work{}
	for _, k := range keys {
		w.hashes = append(w.hashes, hashes{index: hmac.New(sha256.New, k.index), tags: hmac.New(sha256.New, k.tags)})
	}
	return w
}

// wipe makes it what it was: it clears the session that was sealed or opened last.
func (w *work) wipe() {
	clear(w.text)
	clear(w.entry.Sealed)
	w.entry.Spent = false
}

// lookup sets w.key to the key of a session id under the i-th sealing key.
func (w *work) lookup(i int, id []byte) {
	w.text = append(append(w.text[:0], byte(len(id))), id...)
	w.index(i)
	w.key.mark(false)
}

// lookupRoute sets w.key to the key of a route under the first sealing key. No id has the length 0.
func (w *work) lookupRoute(owner *[32]byte, serverName string) {
	w.text = append(append(w.text[:0], 0), owner[:]...)
	w.text = appendLower(w.text, serverName)
	w.index(0)
	w.key.mark(true)
}

// index sets w.key to the keyed hash of w.text.
func (w *work) index(i int) {
	mac := w.hashes[i].index
	mac.Reset()
	mac.Write(w.text)
	mac.Sum(w.key[:0])
}

// ownerTag is that under the first sealing key: no owner outlives a change of keys.
func (w *work) ownerTag(owner *[32]byte) Tag {
	return w.digestTag(0, &w.hashes[0].owner, ofOwner, owner)
}

func (w *work) termsTag(i int, terms *[32]byte) Tag {
	return w.digestTag(i, &w.hashes[i].terms, ofTerms, terms)
}

func (w *work) digestTag(i int, last *lastTag, kind byte, digest *[32]byte) Tag {
	if last.tag == (Tag{}) || last.of != *digest {
		w.text = append(append(w.text[:0], kind), digest[:]...)
		*last = lastTag{*digest, w.hash(i)}
	}
	return last.tag
}

// nameTag is zero where there is no name.
func (w *work) nameTag(i int, serverName string) Tag {
	if serverName == "" {
		return Tag{}
	}
	w.text = appendLower(append(w.text[:0], ofName), serverName)
	return w.hash(i)
}

// shares reports whether a session with those tags may be had by a handshake of that origin.
func (w *work) shares(i int, head []byte, o *Origin) bool {
	terms := w.termsTag(i, &o.Terms)
	if !hmac.Equal(terms[:], head[:tagSize]) {
		return false
	}
	stored := Tag(head[tagSize:])
	if o.ServerName == "" || stored == (Tag{}) {
		return true
	}
	asked := w.nameTag(i, o.ServerName)
	return hmac.Equal(asked[:], stored[:])
}

// flushed reports whether who asks has flushed the session in w.entry: one of its own, that is there,
// has been stored since.
func (w *work) flushed(o *Origin) bool {
	return int64(w.entry.Expires) < o.Flushed && w.ownerTag(&o.Owner) != OwnerOf(w.entry.Sealed)
}

// hash makes a tag of w.text, which is never zero.
func (w *work) hash(i int) Tag {
	mac := w.hashes[i].tags
	mac.Reset()
	mac.Write(w.text)
	mac.Sum(w.sum[:0])
	if t := Tag(w.sum[:]); t != (Tag{}) {
		return t
	}
	return Tag{1}
}
