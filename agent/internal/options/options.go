// Package options reads what gosess-agent is told: words of the command line, or lines of a file that are the
// same words. It parses, and touches no file but that one; [Far.Read] reads the files that a far URL names.
package options

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Options are what an agent is told.
type Options struct {
	Store string // the path of the store
	Far   Far
	User  string // whom a process of root becomes
}

// DefaultUser has no right to anything, and the agent needs none once it has begun.
const DefaultUser = "nobody"

// An option is a word of the command line, with two dashes, or of a file, without.
type option struct {
	name, example string
	parse         func(o *Options, value string) error
}

var known = []option{
	{"store", "shm:/var/lib/gosess/web", func(o *Options, value string) (err error) {
		o.Store, err = parseStore(value)
		return err
	}},
	{"far", "valkey://10.0.0.7:6379/0", func(o *Options, value string) (err error) {
		o.Far, err = ParseFar(value)
		return err
	}},
	{"user", "gosess", func(o *Options, value string) error {
		o.User = value
		return nil
	}},
}

// A reader collects options, and remembers which there have been.
type reader struct {
	options Options
	have    map[string]bool
}

// Parse reads a command line. --config names a file of options; a word of the command line is stronger than a
// line of the file. Needed are the names that must be there.
func Parse(arguments []string, needed ...string) (Options, error) {
	line := reader{options: Options{User: DefaultUser}, have: map[string]bool{}}
	file := ""
	for len(arguments) > 0 {
		word, ok := strings.CutPrefix(arguments[0], "--")
		if !ok || word == "" {
			return Options{}, fmt.Errorf("%q is no option; allowed: --config, %s", shown(arguments[0]), names("--"))
		}
		name, value, given := strings.Cut(word, "=")
		arguments = arguments[1:]
		if !given && len(arguments) > 0 && !strings.HasPrefix(arguments[0], "--") {
			value, arguments = arguments[0], arguments[1:]
		}
		if name == "config" {
			if value == "" || file != "" {
				return Options{}, errors.New("--config wants one file, once")
			}
			file = value
			continue
		}
		if err := line.set(name, value, "--"); err != nil {
			return Options{}, err
		}
	}
	if file != "" {
		if err := line.file(file); err != nil {
			return Options{}, err
		}
	}
	for _, name := range needed {
		if !line.have[name] {
			return Options{}, fmt.Errorf("--%s is missing, as in --%s %s", name, name, exampleOf(name))
		}
	}
	return line.options, nil
}

// set takes one option. Before is what its name begins with where it was written.
func (r *reader) set(name, value, before string) error {
	for _, o := range known {
		if o.name != name {
			continue
		}
		if r.have[name] {
			return fmt.Errorf("%s%s is repeated; allowed: once", before, name)
		}
		if value == "" {
			return fmt.Errorf("%s%s has no value; allowed: as in %s", before, name, o.example)
		}
		r.have[name] = true
		if err := o.parse(&r.options, value); err != nil {
			return fmt.Errorf("%s%s: %w", before, name, err)
		}
		return nil
	}
	allowed := names(before)
	if before != "" {
		allowed = "--config, " + allowed
	}
	return fmt.Errorf("unknown option %q; allowed: %s", shown(before+name), allowed)
}

// file reads lines of "name = value". What is after a # at the start of a word is a remark.
func (r *reader) file(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	inLine := r.have
	r.have = map[string]bool{}
	for number, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if remark := strings.Index(value, " #"); remark >= 0 {
			value = strings.TrimSpace(value[:remark])
		}
		if !ok {
			return fmt.Errorf("%s, line %d: %q is no option; allowed: NAME = VALUE with one of %s", path, number+1, shown(line), names(""))
		}
		if inLine[name] {
			continue
		}
		if err := r.set(name, value, ""); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, number+1, err)
		}
	}
	for name := range inLine {
		r.have[name] = true
	}
	return nil
}

func names(before string) string {
	list := make([]string, len(known))
	for i, o := range known {
		list[i] = before + o.name
	}
	return strings.Join(list, ", ")
}

func exampleOf(name string) string {
	for _, o := range known {
		if o.name == name {
			return o.example
		}
	}
	return ""
}

// parseStore takes the path from the URL of a store. What follows the path is for the servers: so the value of their
// GOSESS_CACHE can be used as it is.
func parseStore(url string) (path string, err error) {
	rest, ok := strings.CutPrefix(url, "shm:")
	if !ok {
		return "", fmt.Errorf("%q is no store that an agent can serve; allowed: shm:/absolute/path", shown(url))
	}
	path, _, _ = strings.Cut(rest, "?")
	if path == "" {
		return "", fmt.Errorf("%q is a store in the servers' own memory, which no other program finds; allowed: shm:/absolute/path", shown(url))
	}
	if path[0] != '/' {
		return "", fmt.Errorf("path %q is not absolute; allowed: shm:/absolute/path", shown(path))
	}
	return path, nil
}
