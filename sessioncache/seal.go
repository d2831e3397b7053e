package sessioncache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"sync/atomic"
)

// A sealed entry is the 10-byte prefix of the process that sealed it, a 6-byte
// counter, and the AES-256-GCM ciphertext of the scope tag and the DER.
//
// Random 96-bit nonces would limit a key to 2^32 entries (NIST SP 800-38D, 8.3),
// which a fleet that keeps its key file reaches. So every process derives a key of
// its own from its random prefix and counts: a nonce never repeats under a key.
const (
	prefixSize   = 10
	counterSize  = 6
	scopeTagSize = 8
	gcmNonce     = 12
	gcmTag       = 16
	sealedExtra  = prefixSize + counterSize + scopeTagSize + gcmTag

	// The processes whose derived keys are kept: more than a machine has workers,
	// over some restarts. Deriving one takes microseconds.
	knownMax = 128

	indexLabel = "gosess v1 index"
	scopeLabel = "gosess v1 scope"
	sealLabel  = "gosess v1 seal "
)

type prefix [prefixSize]byte

// sealingKey is what is derived from one key of the key file.
type sealingKey struct {
	secret []byte // HKDF's pseudorandom key
	index  []byte // for lookup keys
	scope  []byte // for scope tags

	known atomic.Pointer[map[prefix]cipher.AEAD] // copied to change it
}

func newSealingKey(key []byte) (*sealingKey, error) {
	secret, err := hkdf.Extract(sha256.New, key, nil)
	if err != nil {
		return nil, err
	}
	k := &sealingKey{secret: secret}
	if k.index, err = hkdf.Expand(sha256.New, secret, indexLabel, sha256.Size); err != nil {
		return nil, err
	}
	if k.scope, err = hkdf.Expand(sha256.New, secret, scopeLabel, sha256.Size); err != nil {
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
	return cipher.NewGCM(block)
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

// sealer seals for one process.
type sealer struct {
	aead    cipher.AEAD
	prefix  prefix
	counter atomic.Uint64
}

func newSealer(k *sealingKey) (*sealer, error) {
	s := &sealer{}
	rand.Read(s.prefix[:])
	var err error
	if s.aead, err = k.aead(s.prefix); err != nil {
		return nil, err
	}
	k.remember(s.prefix, s.aead)
	return s, nil
}

// work is the scratch memory of one operation, so that none is allocated.
type work struct {
	macs  []macs // by key
	key   LookupKey
	aad   [len(LookupKey{}) + 4]byte
	nonce [gcmNonce]byte
	sum   [sha256.Size]byte
	text  []byte // what is hashed or sealed
	entry Entry
}

type macs struct {
	index, scope hash.Hash
}

func newWork(keys []*sealingKey) *work {
	w := &work{}
	for _, k := range keys {
		w.macs = append(w.macs, macs{hmac.New(sha256.New, k.index), hmac.New(sha256.New, k.scope)})
	}
	return w
}

// wipe makes it what it was: it clears the session that was sealed or opened last.
func (w *work) wipe() {
	clear(w.text)
	clear(w.entry.Sealed)
	w.entry.Spent = false
}

// lookup sets w.key to the key of an id under the i-th sealing key.
func (w *work) lookup(i int, context *[32]byte, id []byte) {
	mac := w.macs[i].index
	mac.Reset()
	w.text = append(w.text[:0], context[:]...)
	w.text = append(w.text, byte(len(id)))
	w.text = append(w.text, id...)
	mac.Write(w.text)
	mac.Sum(w.key[:0])
}

// scopeTag sets w.sum to begin with the keyed hash of what two handshakes must share and a
// removal does not know: the client policy, and the server name, whose letters are compared
// without case (RFC 6066, section 3).
func (w *work) scopeTag(i int, o *Origin) {
	mac := w.macs[i].scope
	mac.Reset()
	w.text = append(w.text[:0], o.Policy[:]...)
	w.text = append(w.text, byte(o.VerifyMode))
	for j := range len(o.ServerName) {
		c := o.ServerName[j]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		w.text = append(w.text, c)
	}
	mac.Write(w.text)
	mac.Sum(w.sum[:0])
}

// bind sets w.aad to what a sealed entry is bound to: whoever can write to the store
// can neither pass an entry off as another one nor prolong it.
func (w *work) bind(expires uint32) {
	copy(w.aad[:], w.key[:])
	binary.LittleEndian.PutUint32(w.aad[len(w.key):], expires)
}

// seal leaves the sealed form of a session in w.entry.Sealed, for w.key.
func (s *sealer) seal(w *work, o *Origin, der []byte, expires uint32) error {
	count := s.counter.Add(1)
	if count >= 1<<(8*counterSize) {
		return ErrCounter
	}
	binary.BigEndian.PutUint64(w.nonce[gcmNonce-8:], count)
	w.bind(expires)
	w.scopeTag(0, o)
	w.text = append(append(w.text[:0], w.sum[:scopeTagSize]...), der...)
	sealed := append(w.entry.Sealed[:0], s.prefix[:]...)
	sealed = append(sealed, w.nonce[gcmNonce-counterSize:]...)
	w.entry.Sealed = s.aead.Seal(sealed, w.nonce[:], w.text, w.aad[:])
	return nil
}

// open decrypts w.entry, found under w.key, in place. It returns the scope tag and
// the DER, nil where the entry is not what was sealed.
func (k *sealingKey) open(w *work) (scopeTag, der []byte) {
	sealed := w.entry.Sealed
	if len(sealed) < sealedExtra {
		return nil, nil
	}
	p := prefix(sealed)
	aead, known := (*k.known.Load())[p]
	if !known {
		var err error
		if aead, err = k.aead(p); err != nil {
			return nil, nil
		}
	}
	clear(w.nonce[:])
	copy(w.nonce[gcmNonce-counterSize:], sealed[prefixSize:])
	w.bind(w.entry.Expires)
	text := sealed[prefixSize+counterSize:]
	plain, err := aead.Open(text[:0], w.nonce[:], text, w.aad[:])
	if err != nil {
		return nil, nil
	}
	if !known {
		k.remember(p, aead) // now that it is known to be a process's
	}
	return plain[:scopeTagSize], plain[scopeTagSize:]
}
