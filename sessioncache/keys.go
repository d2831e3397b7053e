package sessioncache

import (
	"crypto/hkdf"
	"crypto/sha256"
)

const hashLabel = "gosess v5 hash"

// sealingKey is what is derived from one key of the key file for one store.
type sealingKey struct {
	derivation
	mac    *mac    // for lookup keys and tags
	sealer *sealer // of this process
	since  uint32  // unix seconds: it does not seal before, where there is another key
}

// newSealingKey derives everything from the store's id too, so an entry of one store is nothing
// in another one with the same key.
func newSealingKey(key []byte, store StoreID) (*sealingKey, error) {
	secret, err := hkdf.Extract(sha256.New, key, store[:])
	if err != nil {
		return nil, err
	}
	k := &sealingKey{derivation: derivation{secret: secret}}
	hashKey, err := hkdf.Expand(sha256.New, secret, hashLabel, KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(hashKey)
	if k.mac, err = newMAC(hashKey); err != nil {
		return nil, err
	}
	return k, nil
}
