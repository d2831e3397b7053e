package sessioncache

import "encoding/binary"

// A sealed entry is the owner's tag, the 10-byte prefix of the process that sealed it, a
// 6-byte counter, and AES-256-GCM ciphertext.
//
// Random 96-bit nonces would limit a key to 2^32 entries (NIST SP 800-38D, 8.3),
// which a fleet that keeps its key file reaches. So every process derives a key of
// its own from its prefix and counts: a nonce never repeats under a key.

// sealOf returns the seal of an entry, sealed or opened.
func sealOf(e *Entry) Seal { return Seal(e.Sealed[tagSize:]) }

// bind sets w.aad to what a sealed entry is bound to: whoever can write to the store
// can neither pass an entry off as another one, or another owner's, nor prolong it.
func (w *work) bind(owner Tag, expires uint32) {
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
	aead := k.aeadOf(&p)
	known := aead != nil
	if !known {
		var err error
		if aead, err = k.aead(p); err != nil {
			return nil
		}
	}
	w.number(sealed[tagSize+prefixSize : sealedHead])
	w.bind(OwnerOf(sealed), w.entry.Expires)
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

// seal leaves the sealed form of w.text in w.entry.Sealed, for w.key.
func (s *sealer) seal(w *work, owner Tag, expires uint32) error {
	r, err := s.current()
	if err != nil {
		return err
	}
	count := r.counter.Add(1)
	if count >= 1<<(8*counterSize) {
		return ErrCounter
	}
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], count)
	w.number(counter[len(counter)-counterSize:])
	w.bind(owner, expires)
	sealed := append(w.entry.Sealed[:0], owner[:]...)
	sealed = append(sealed, r.prefix[:]...)
	sealed = append(sealed, w.nonce[gcmNonce-counterSize:]...)
	w.entry.Sealed = r.aead.Seal(sealed, w.nonce[:], w.text, w.aad[:])
	return nil
}
