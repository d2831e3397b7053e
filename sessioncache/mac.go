package sessioncache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// What a keyed hash is of. Each message begins with a block that says it, so that what is hashed for one
// is never what is hashed for another.
type hashed byte

const (
	ofID hashed = iota
	ofRoute
	ofOwner
	ofTerms
	ofName
	ofRecord
	hashedKinds
)

const blockSize = aes.BlockSize

// mac is CMAC with AES-256 (NIST SP 800-38B): for messages of 16 to 50 bytes a third of what
// HMAC-SHA256 takes, by the instructions that open the entry a moment later.
type mac struct {
	block cipher.Block
	// What is mixed into the last block of a message, where it is full and where it is not.
	full, short [blockSize]byte
	begun       [hashedKinds][blockSize]byte // the state after the first block, by what it says
}

func newMAC(key []byte) (*mac, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	m := &mac{block: block}
	block.Encrypt(m.full[:], m.full[:])
	double(&m.full)
	m.short = m.full
	double(&m.short)
	for of := range m.begun {
		m.begun[of][0] = byte(of)
		block.Encrypt(m.begun[of][:], m.begun[of][:])
	}
	return m, nil
}

// double multiplies by x in GF(2^128).
func double(b *[blockSize]byte) {
	carry := b[0] >> 7
	for i := range blockSize - 1 {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[blockSize-1] = b[blockSize-1]<<1 ^ carry*0x87
}

// sum sets state to the hash of a text, which is not empty.
func (m *mac) sum(state *[blockSize]byte, of hashed, text []byte) {
	*state = m.begun[of]
	for ; len(text) > blockSize; text = text[blockSize:] {
		subtle.XORBytes(state[:], state[:], text[:blockSize])
		m.block.Encrypt(state[:], state[:])
	}
	subtle.XORBytes(state[:], state[:], text)
	last := &m.full
	if len(text) < blockSize {
		state[len(text)] ^= 0x80
		last = &m.short
	}
	subtle.XORBytes(state[:], state[:], last[:])
	m.block.Encrypt(state[:], state[:])
}
