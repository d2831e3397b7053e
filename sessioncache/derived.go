package sessioncache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"sync/atomic"
)

const (
	// KeySize is the size of a sealing key in bytes.
	KeySize = 32

	prefixSize  = 10 // of a process that seals
	counterSize = 6  // of what it has sealed
	gcmNonce    = 12
	gcmTag      = 12 // which leaves room for an owner's tag in what an ordinary session takes

	// The processes whose derived keys are kept: more than a machine has workers, over some
	// restarts. Deriving one takes microseconds. Each lies in one of a few places.
	knownMax    = 256
	knownPlaces = 8

	sealLabel = "gosess v5 seal "
)

// prefix is random bytes of a process that seals.
type prefix [prefixSize]byte

// derivation is what each process that seals derives a key of its own from.
type derivation struct {
	secret []byte // HKDF's pseudorandom key
	known  [knownMax]atomic.Pointer[derivedKey]
	next   atomic.Uint32 // place that makes way
}

// derivedKey is that of a process that seals.
type derivedKey struct {
	prefix prefix
	aead   cipher.AEAD
}

// place is the n-th place for the key of a prefix, which is random bytes.
func (k *derivation) place(p *prefix, n uint32) *atomic.Pointer[derivedKey] {
	return &k.known[(uint32(p[0])+n%knownPlaces)%knownMax]
}

// aeadOf returns the key of the process with that prefix, nil where it is not kept.
func (k *derivation) aeadOf(p *prefix) cipher.AEAD {
	for n := range uint32(knownPlaces) {
		if d := k.place(p, n).Load(); d != nil && d.prefix == *p {
			return d.aead
		}
	}
	return nil
}

// aead derives the key of the process with that prefix.
func (k *derivation) aead(p prefix) (cipher.AEAD, error) {
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
func (k *derivation) remember(p prefix, aead cipher.AEAD) {
	derived := &derivedKey{p, aead}
	for n := range uint32(knownPlaces) {
		if k.place(&p, n).CompareAndSwap(nil, derived) {
			return
		}
	}
	k.place(&p, k.next.Add(1)).Store(derived)
}
