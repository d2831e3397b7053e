package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// What package flag says of an option that there is none of, and of one with a value that it does not take.
var (
	notDefined = regexp.MustCompile(`^flag provided but not defined: -(.+)$`)
	notTaken   = regexp.MustCompile(`^invalid (?:boolean )?value (".*") for (?:flag )?-([^:]+): `)
)

// isSwitch reports whether an option is given, or not, and has no value.
func isSwitch(option *flag.Flag) bool {
	b, ok := option.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// sayOption is what is wrong with an option, and what is allowed.
func sayOption(flags *flag.FlagSet, err error) string {
	text := err.Error()
	if parts := notDefined.FindStringSubmatch(text); parts != nil {
		var allowed []string
		flags.VisitAll(func(f *flag.Flag) { allowed = append(allowed, "--"+f.Name) })
		return fmt.Sprintf("unknown option --%s; allowed: %s", parts[1], strings.Join(allowed, ", "))
	}
	if parts := notTaken.FindStringSubmatch(text); parts != nil {
		option := flags.Lookup(parts[2])
		if isSwitch(option) {
			return fmt.Sprintf("--%s takes no value", parts[2])
		}
		_, usage := flag.UnquoteUsage(option)
		return fmt.Sprintf("--%s %s is not allowed; allowed: %s", parts[2], parts[1], usage)
	}
	return text
}

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
