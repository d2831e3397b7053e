package main

import (
	"errors"
	"fmt"
)

// A usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func status(err error) int {
	var usage usageError
	var found foundError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return 2
	case errors.As(err, &found):
		return 3
	}
	return 1
}

// foundError ends a check that has found something, all of which has been said.
type foundError struct{ count int }

func (e foundError) Error() string {
	if e.count == 1 {
		return "there is one thing to look after"
	}
	return fmt.Sprintf("there are %d things to look after", e.count)
}
