package main

import (
	"flag"
	"fmt"

	"gosess/capi/settings"
)

// prepareCheck says what a server would do, with the code of the server's half.
func prepareCheck(flags *flag.FlagSet) action {
	asJSON, keys := jsonOption(flags), keysOption(flags)
	return func(out *output, operands []string) error {
		if len(operands) != 1 {
			return usageError{"check takes one URL"}
		}
		note, err := settings.Check(operands[0], *keys)
		if err != nil {
			return err
		}
		if *asJSON {
			return writeObject(out, object{{"url", operands[0]}, {"note", note}})
		}
		_, err = fmt.Fprintln(out, note)
		return err
	}
}
