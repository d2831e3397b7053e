package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"gosess/sessioncache"
)

// keygen writes one line of a key file.
func keygen(out *output, operands []string) error {
	if len(operands) != 0 {
		return usageError{"keygen takes no arguments"}
	}
	var key [sessioncache.KeySize]byte
	rand.Read(key[:])
	_, err := fmt.Fprintln(out, base64.StdEncoding.EncodeToString(key[:]))
	return err
}
