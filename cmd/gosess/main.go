// Gosess starts servers with the session cache preloaded, says what a cache URL means, and
// shows the counters of a store. See gosess(1).
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"gosess/capi/settings"
)

const usage = `usage:
  gosess run [--cache URL] [--tickets keep|stateful|shared|shared,override] [--keys FILE] [--log SPEC] -- PROGRAM [ARGS...]
        become PROGRAM, with the session cache preloaded
  gosess check [--keys FILE] URL
        say what a server would do with this URL
  gosess stats [--json] URL | gosess stats [--json] --pid PID
        show the counters of a store, by its URL or by a process that has it mapped
  gosess keygen
        make a sealing key: one line for a key file
  gosess version
  gosess help

URL is shm: (in memory) or shm:/absolute/path, with options: shm:?size=64m,
shm:/run/gosess/web?size=64m&keys=/etc/gosess/keys. See gosess(1).
`

func main() {
	err := command(os.Args[1:], os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "gosess: %v\n", err)
	os.Exit(status(err))
}

func status(err error) int {
	var usage usageError
	var exit exitError
	switch {
	case errors.As(err, &usage):
		return 2
	case errors.As(err, &exit):
		return exit.status
	}
	return 1
}

func command(args []string, out io.Writer) error {
	if len(args) == 0 {
		return usageError{"a command is missing; allowed: run, check, stats, keygen, version, help"}
	}
	name, args := args[0], args[1:]
	switch name {
	case "run":
		return run(args)
	case "check":
		return check(args, out)
	case "stats":
		return stats(args, out)
	case "keygen":
		return keygen(args, out)
	case "version", "--version":
		_, err := fmt.Fprintln(out, "gosess", settings.Version)
		return err
	case "help", "--help", "-h":
		_, err := io.WriteString(out, usage)
		return err
	}
	return usageError{fmt.Sprintf("unknown command %q; allowed: run, check, stats, keygen, version, help", name)}
}

func check(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	keys := flags.String("keys", os.Getenv("GOSESS_KEYS"), "")
	rest, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usageError{"check takes one URL"}
	}
	note, err := settings.Check(rest[0], *keys)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, note)
	return err
}
