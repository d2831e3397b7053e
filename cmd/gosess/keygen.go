package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"

	"gosess/sessioncache"
)

// keygen writes one line of a key file.
func keygen(args []string, out io.Writer) error {
	if len(args) != 0 {
		return usageError{"keygen takes no arguments"}
	}
	var key [sessioncache.KeySize]byte
	rand.Read(key[:])
	_, err := fmt.Fprintln(out, base64.StdEncoding.EncodeToString(key[:]))
	return err
}
