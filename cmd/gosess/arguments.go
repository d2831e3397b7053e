package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// A usageError is a command line that cannot be meant: exit status 2.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// An exitError ends with a status of its own.
type exitError struct {
	status int
	err    error
}

func (e exitError) Error() string { return e.err.Error() }

// parse reads the options of a command and returns the other arguments.
func parse(flags *flag.FlagSet, args []string) ([]string, error) {
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, usageError{"see gosess help"}
		}
		return nil, usageError{fmt.Sprintf("%s: %v; see gosess help", flags.Name(), err)}
	}
	return flags.Args(), nil
}
