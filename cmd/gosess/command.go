package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is a row of the table in commands.go. Help, completion, and the check of the manual page
// are made of it.
type command struct {
	name     string // one word, or two: a group and its command
	operands string // what follows the options, as in a synopsis
	short    string // one line
	about    string // what help says beyond that
	examples []example
	program  bool // what follows the first operand is another program's
	hidden   bool // not for people
	// prepare declares the options. The usage of one begins with its value in back quotes: a word in
	// capitals, or those that are allowed, with | between them.
	prepare func(flags *flag.FlagSet) action
}

// table is what commands.go says. main sets it: the commands that explain others are among its rows.
var table []command

// example is a command line, and what it is good for.
type example struct{ line, why string }

// action does what a command is for, when its options are read.
type action func(out *output, operands []string) error

// A usageError is a command line that cannot be meant.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// An exitError ends with a status of its own.
type exitError struct {
	status int
	err    error
}

func (e exitError) Error() string { return e.err.Error() }

// The statuses that gosess ends with. run ends with those of env(1) too.
const (
	exitFailed = 1 // it could not be done
	exitUsage  = 2 // the command line cannot be meant
)

const exitText = "0 it is done, 1 it could not be done, 2 the command line cannot be meant; gosess(1) has those of run"

func status(err error) int {
	var usage usageError
	var exit exitError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &exit):
		return exit.status
	}
	return exitFailed
}

// none is for a command without options.
func none(do action) func(*flag.FlagSet) action {
	return func(*flag.FlagSet) action { return do }
}

// flagSet has the options of a command, and what it does with them.
func (c *command) flagSet() (*flag.FlagSet, action) {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags, c.prepare(flags)
}

// parse reads options, which may stand behind operands, as far as "--", and returns the operands.
func parse(flags *flag.FlagSet, args []string, behind bool) (operands []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		read := len(args) - len(rest)
		if len(rest) == 0 || !behind || (read > 0 && args[read-1] == "--") {
			return append(operands, rest...), nil
		}
		operands, args = append(operands, rest[0]), rest[1:]
	}
}

// find returns the command that a line begins with, and the rest of the line.
func find(args []string) (*command, []string, error) {
	if len(args) == 0 {
		return nil, nil, usageError{"a command is missing; allowed: " + strings.Join(firstWords(), ", ")}
	}
	group := members(args[0])
	for i := range group {
		if words := strings.Fields(group[i].name); len(words) == 1 || (len(args) > 1 && words[1] == args[1]) {
			return &group[i], args[len(words):], nil
		}
	}
	if len(group) > 0 {
		var names []string
		for _, c := range group {
			names = append(names, strings.Fields(c.name)[1])
		}
		return nil, nil, usageError{fmt.Sprintf("%s: a command is missing or unknown; allowed: %s", args[0], strings.Join(names, ", "))}
	}
	return nil, nil, usageError{fmt.Sprintf("unknown command %q; allowed: %s", args[0], strings.Join(firstWords(), ", "))}
}

// members are the commands whose name begins with a word: one, or those of a group.
func members(word string) (found []command) {
	for _, c := range table {
		if strings.Fields(c.name)[0] == word {
			found = append(found, c)
		}
	}
	return found
}

// firstWords are the words that a command line may begin with.
func firstWords() (words []string) {
	for _, c := range table {
		word := strings.Fields(c.name)[0]
		if !c.hidden && (len(words) == 0 || words[len(words)-1] != word) {
			words = append(words, word)
		}
	}
	return words
}
