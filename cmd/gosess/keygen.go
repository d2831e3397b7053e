package main

import (
	"crypto/rand"
	"encoding/base64"
	"flag"
	"fmt"

	"gosess/sessioncache"
)

// prepareKeygen writes one line of a key file.
func prepareKeygen(flags *flag.FlagSet) action {
	asJSON := jsonOption(flags)
	return func(out *output, operands []string) error {
		if len(operands) != 0 {
			return usageError{"keygen takes no arguments"}
		}
		var key [sessioncache.KeySize]byte
		rand.Read(key[:])
		line := base64.StdEncoding.EncodeToString(key[:])
		if *asJSON {
			return writeObject(out, object{{"key", line}})
		}
		_, err := fmt.Fprintln(out, line)
		return err
	}
}
