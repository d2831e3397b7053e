// Gosess starts servers with the session cache preloaded, says what a cache URL means, and
// shows what a store holds and counts. See gosess(1).
//
// Which commands there are is said in one place: commands.go.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	table = commands()
	err := perform(os.Args[1:], newOutput(os.Stdout))
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "gosess: %v\n", err)
	os.Exit(status(err))
}

func perform(args []string, out *output) error {
	if len(args) > 0 {
		switch args[0] {
		case "--help", "-help", "-h":
			args = []string{"help"}
		case "--version", "-version", "-V":
			return writeVersion(out)
		}
	}
	c, rest, err := find(args)
	if err != nil {
		if len(args) > 1 && isHelp(args[1]) && len(members(args[0])) > 0 {
			return help(out, args[:1])
		}
		return err
	}
	return run(c, out, rest)
}

func isHelp(word string) bool { return word == "--help" || word == "-help" || word == "-h" }

// run reads the options, which may stand behind operands, and does what the command is for.
func run(c *command, out *output, args []string) error {
	flags, do := c.flagSet()
	operands, err := parse(flags, args, !c.program)
	if errors.Is(err, flag.ErrHelp) {
		return writeHelp(out, c)
	}
	if err != nil {
		return usageError{fmt.Sprintf("%s: %s; see gosess %s --help", c.name, sayOption(flags, err), c.name)}
	}
	return do(out, operands)
}
