package main

import (
	"flag"
	"os"
)

// jsonOption is the same for every command that has it.
func jsonOption(flags *flag.FlagSet) *bool {
	return flags.Bool("json", false, "print it for programs")
}

// keysOption is the same for every command that has it.
func keysOption(flags *flag.FlagSet) *string {
	return flags.String("keys", os.Getenv("GOSESS_KEYS"), "`FILE` with the sealing keys (else GOSESS_KEYS)")
}

// pidOption is the same for every command that has it.
func pidOption(flags *flag.FlagSet) *int {
	return flags.Int("pid", 0, "`PID` of a process that has a store in memory mapped: the server's master, or a worker")
}
