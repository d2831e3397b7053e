package main

import (
	"flag"
	"fmt"

	"gosess/capi/settings"
)

// checkLibrary looks for both halves of the library: a server that finds no Go half that fits serves without a cache.
func checkLibrary() error {
	path, err := findLibrary()
	if err != nil {
		return err
	}
	if err := checkCore(path); err != nil {
		return err
	}
	found := lookAround()
	if !found.fits() {
		return fmt.Errorf("a server would serve without a cache: the Go half %s does not fit %s; gosess version says what they are", found.core.path, found.library.path)
	}
	return nil
}

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
		if err := checkLibrary(); err != nil {
			return err
		}
		if *asJSON {
			return writeObject(out, object{{"url", operands[0]}, {"note", note}})
		}
		_, err = fmt.Fprintln(out, note)
		return err
	}
}
