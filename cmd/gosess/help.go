package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// help explains the commands that the operands name: all of them where there are none.
func help(out *output, operands []string) error {
	if len(operands) == 0 {
		return writeOverview(out)
	}
	group := members(operands[0])
	if len(operands) == 1 && len(group) > 1 {
		fmt.Fprintf(out, "%s\n", out.bold("usage:"))
		writeList(out, group)
		writeExamples(out, examplesOf(group))
		_, err := fmt.Fprintf(out, "\n%s --help explains one of them.\n", "gosess "+operands[0]+" COMMAND")
		return err
	}
	c, rest, err := find(operands)
	if err == nil && len(rest) > 0 {
		err = usageError{fmt.Sprintf("help: there is no command %q", strings.Join(operands, " "))}
	}
	if err != nil {
		return err
	}
	return writeHelp(out, c)
}

func writeOverview(out *output) error {
	fmt.Fprintf(out, "%s\n", out.bold("usage:"))
	writeList(out, table)
	var first []command
	for _, name := range []string{"run", "stats", "doctor", "enable"} {
		first = append(first, members(name)...)
	}
	writeExamples(out, examplesOf(first))
	_, err := fmt.Fprintf(out, `
gosess COMMAND --help explains a command, with examples.

URL is shm: (in memory) or shm:/absolute/path, with options: shm:?size=64m,
shm:/run/gosess/web?size=64m&keys=/etc/gosess/keys. See gosess(7).

Exit status: %s.
`, exitText)
	return err
}

// writeList has the synopsis of each command, and what it is for.
func writeList(out *output, list []command) {
	for _, c := range list {
		if !c.hidden {
			fmt.Fprintf(out, "  %s\n        %s\n", synopsis(&c), c.short)
		}
	}
}

// synopsis is a command with its options, all of which may be left out, and operands.
func synopsis(c *command) string {
	text := "gosess " + c.name
	for _, o := range optionsOf(c) {
		text += " [" + o.name + "]"
	}
	if c.operands != "" {
		text += " " + c.operands
	}
	return text
}

// option is one of a command, for people.
type option struct {
	flag  string // its name
	name  string // with two dashes and its value
	value string // "", a word in capitals, or what is allowed with | between
	usage string
}

func optionsOf(c *command) (options []option) {
	flags, _ := c.flagSet()
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		o := option{f.Name, "--" + f.Name, "", usage}
		if !isSwitch(f) {
			o.value = value
			o.name += " " + value
			o.usage = strings.TrimLeft(strings.TrimPrefix(usage, value), ": ")
		}
		options = append(options, o)
	})
	return options
}

// writeHelp is what gosess COMMAND --help prints.
func writeHelp(out *output, c *command) error {
	fmt.Fprintf(out, "%s %s\n\n%s.\n", out.bold("usage:"), synopsis(c), strings.ToUpper(c.short[:1])+c.short[1:])
	if c.about != "" {
		fmt.Fprintf(out, "%s\n", c.about)
	}
	options := optionsOf(c)
	if len(options) > 0 {
		fmt.Fprintf(out, "\n%s\n", out.bold("options:"))
	}
	for _, o := range options {
		fmt.Fprintf(out, "  %s\n        %s\n", o.name, o.usage)
	}
	writeExamples(out, c.examples)
	_, err := io.WriteString(out, "\n"+c.name+" is described in gosess(1).\n")
	return err
}

// examplesOf are the first of each command.
func examplesOf(list []command) (found []example) {
	for _, c := range list {
		found = append(found, c.examples[0])
	}
	return found
}

func writeExamples(out *output, examples []example) {
	fmt.Fprintf(out, "\n%s\n", out.bold("examples:"))
	for _, e := range examples {
		fmt.Fprintf(out, "  %s\n", e.line)
		if e.why != "" {
			fmt.Fprintf(out, "        %s\n", e.why)
		}
	}
}
