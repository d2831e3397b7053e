package sessioncache

import (
	"encoding/hex"
	"testing"
)

// The examples of NIST SP 800-38B, appendix D.3, that are longer than a block: their first one takes the place of
// that which says what a text is.
func TestMAC(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	m, err := newMAC(unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"))
	if err != nil {
		t.Fatal(err)
	}
	message := unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	m.block.Encrypt(m.begun[ofID][:], message[:blockSize])
	for size, want := range map[int]string{
		40: "aaf3d8f1de5640c232f5b169b9c911e6",
		64: "e1992190549f6ed5696a2c056c315410",
	} {
		var sum [blockSize]byte
		m.sum(&sum, ofID, message[blockSize:size])
		if hex.EncodeToString(sum[:]) != want {
			t.Errorf("of %d bytes: %x", size, sum)
		}
	}
}

// The same text is hashed to something else for each purpose, and one that is a block longer by zeroes is another.
func TestMACPurposes(t *testing.T) {
	m, err := newMAC(testKey)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[blockSize]byte]bool{}
	for of := range hashedKinds {
		for _, size := range []int{1, 15, 16, 17, 32, 33} {
			var sum [blockSize]byte
			m.sum(&sum, of, make([]byte, size))
			if seen[sum] {
				t.Errorf("kind %d, %d bytes: seen before", of, size)
			}
			seen[sum] = true
		}
	}
}
