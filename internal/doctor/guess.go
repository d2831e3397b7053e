package doctor

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// What can be guessed of the keys of a ticket.
const (
	guessedAll = "all" // whoever has seen a ticket can read it, and make others
	guessedMAC = "mac" // whoever has seen a ticket can change it
)

// A ticket of OpenSSL and of most others (RFC 5077, section 4): a name of 16 bytes, an IV of 16, what is sealed, a MAC over
// all before it.
const sealedFrom = 32

var macs = []func() hash.Hash{sha256.New, sha512.New384, sha1.New, sha512.New} // libssl's and nearly all others' first

// guess says what of a ticket's keys is all zero, as of a key file that was made of /dev/zero, or of one that nobody has
// filled; or another byte again and again.
func guess(ticket []byte) string {
	if len(ticket) <= sealedFrom {
		return "" // it is none, or was not kept
	}
	for filling := range 256 {
		for _, size := range []int{16, 32} {
			key := bytes.Repeat([]byte{byte(filling)}, size)
			usual := macs
			if filling > 0 {
				usual = macs[:1]
			}
			if sealed, ok := checked(ticket, key, usual); ok {
				if opens(ticket[16:sealedFrom], sealed, byte(filling)) {
					return guessedAll
				}
				return guessedMAC
			}
			if filling == 0 { // HMAC fills a shorter key with zeros: RFC 2104, section 2
				break
			}
		}
	}
	return ""
}

// checked is what is sealed in a ticket whose MAC is right under the key.
func checked(ticket, key []byte, macs []func() hash.Hash) (sealed []byte, ok bool) {
	for _, hash := range macs {
		mac := hmac.New(hash, key)
		end := len(ticket) - mac.Size()
		if end <= sealedFrom {
			continue
		}
		mac.Write(ticket[:end])
		if hmac.Equal(mac.Sum(nil), ticket[end:]) {
			return ticket[sealedFrom:end], true
		}
	}
	return nil, false
}

// opens says whether a key of nothing but that byte opens what is sealed (AES-CBC): a session of libssl is a SEQUENCE, and the
// padding is right.
func opens(iv, sealed []byte, filling byte) bool {
	if len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 {
		return false
	}
	for _, size := range []int{16, 32} {
		block, err := aes.NewCipher(bytes.Repeat([]byte{filling}, size))
		if err != nil {
			return false
		}
		plain := make([]byte, len(sealed))
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, sealed)
		padding := int(plain[len(plain)-1])
		if plain[0] == 0x30 && padding > 0 && padding <= aes.BlockSize {
			return true
		}
	}
	return false
}
