package sessioncache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"sync/atomic"
)

// A sealed entry is the owner's tag, the 10-byte prefix of the process that sealed it, a
// 6-byte counter, and AES-256-GCM ciphertext.
//
// Random 96-bit nonces would limit a key to 2^32 entries (NIST SP 800-38D, 8.3),
// which a fleet that keeps its key file reaches. So every process derives a key of
// its own from its prefix and counts: a nonce never repeats under a key.
const (
	prefixSize  = 10
	counterSize = 6
	sealSize    = prefixSize + counterSize
	gcmNonce    = 12
	gcmTag      = 12 // which leaves room for an owner's tag in what an ordinary session takes

	sealedHead  = tagSize + sealSize
	sealedExtra = sealedHead + sessionHead + gcmTag

	// The processes whose derived keys are kept: more than a machine has workers,
	// over some restarts. Deriving one takes microseconds.
	knownMax = 128

	indexLabel = "gosess v3 index"
	tagsLabel  = "gosess v3 tags"
	sealLabel  = "gosess v3 seal "
)

type prefix [prefixSize]byte

// sealingKey is what is derived from one key of the key file for one store.
type sealingKey struct {
	secret []byte // HKDF's pseudorandom key
	index  []byte // for lookup keys
	tags   []byte // for tags

	known atomic.Pointer[map[prefix]cipher.AEAD] // copied to change it
}

// newSealingKey derives everything from the store's id too, so an entry of one store is nothing
// in another one with the same key.
func newSealingKey(key []byte, store StoreID) (*sealingKey, error) {
	secret, err := hkdf.Extract(sha256.New, key, store[:])
	if err != nil {
		return nil, err
	}
	k := &sealingKey{secret: secret}
	if k.index, err = hkdf.Expand(sha256.New, secret, indexLabel, sha256.Size); err != nil {
		return nil, err
	}
	if k.tags, err = hkdf.Expand(sha256.New, secret, tagsLabel, sha256.Size); err != nil {
		return nil, err
	}
	k.known.Store(&map[prefix]cipher.AEAD{})
	return k, nil
}

// aead derives the key of the process with that prefix.
func (k *sealingKey) aead(p prefix) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, k.secret, sealLabel+string(p[:]), KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithTagSize(block, gcmTag)
}

// remember keeps a derived key, in place of any other one if there are too many.
func (k *sealingKey) remember(p prefix, aead cipher.AEAD) {
	known := maps.Clone(*k.known.Load())
	for other := range known {
		if len(known) < knownMax {
			break
		}
		delete(known, other)
	}
	known[p] = aead
	k.known.Store(&known)
}

// bind sets w.aad to what a sealed entry is bound to: whoever can write to the store
// can neither pass an entry off as another one, or another owner's, nor prolong it.
func (w *work) bind(owner tag, expires uint32) {
	copy(w.aad[:], w.key[:])
	binary.LittleEndian.PutUint32(w.aad[len(w.key):], expires)
	copy(w.aad[len(w.key)+4:], owner[:])
}

// number sets w.nonce to that of a counter, which lies in an entry, for w.key: it holds bytes
// of that too, so that not even a counter that comes twice makes a nonce that does, unless it
// is for the same id (sealer.go says when that can be).
func (w *work) number(counter []byte) {
	copy(w.nonce[:], w.key[len(w.key)-(gcmNonce-counterSize):])
	copy(w.nonce[gcmNonce-counterSize:], counter)
}

// open decrypts w.entry, found under w.key, in place. It returns what was sealed, nil where the
// entry is not what was sealed.
func (k *sealingKey) open(w *work) []byte {
	sealed := w.entry.Sealed
	if len(sealed) < sealedHead+gcmTag {
		return nil
	}
	p := prefix(sealed[tagSize:])
	aead, known := (*k.known.Load())[p]
	if !known {
		var err error
		if aead, err = k.aead(p); err != nil {
			return nil
		}
	}
	w.number(sealed[tagSize+prefixSize : sealedHead])
	w.bind(tag(sealed), w.entry.Expires)
	text := sealed[sealedHead:]
	plain, err := aead.Open(text[:0], w.nonce[:], text, w.aad[:])
	if err != nil {
		return nil
	}
	if !known {
		k.remember(p, aead) // now that it is known to be a process's
	}
	return plain
}
