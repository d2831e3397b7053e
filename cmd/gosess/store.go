package main

import (
	"encoding/hex"
	"fmt"
	"strings"

	"gosess/internal/inspect"
	"gosess/sessioncache"
)

// openStore opens the one store that a command line names.
func openStore(command string, pid int, operands []string, access inspect.Access) (*inspect.Store, error) {
	switch {
	case pid > 0 && len(operands) == 0:
		return inspect.ByProcess(pid, access)
	case pid == 0 && len(operands) == 1:
		return inspect.ByURL(operands[0], access)
	}
	return nil, usageError{command + " takes one URL, or --pid and the id of a process"}
}

// contextName is what a context is called in a store: the tag of its owner.
func contextName(owner sessioncache.Tag) string { return fmt.Sprintf("%x", owner[:]) }

// ownersOf are the contexts that a name means: that of a context, or the one that its certificate has, which several may have.
// nil means all: there is no name.
func ownersOf(store *inspect.Store, name string) (owners []*sessioncache.Tag, err error) {
	if name == "" {
		return []*sessioncache.Tag{nil}, nil
	}
	seen, err := store.Stats()
	if err != nil {
		return nil, err
	}
	var known []string
	for i := range seen.Contexts {
		c := &seen.Contexts[i]
		if c.Label == name || contextName(c.Owner) == name {
			owners = append(owners, &c.Owner)
		}
		known = append(known, fmt.Sprintf("%s (%s)", contextName(c.Owner), c.Label))
	}
	if raw, err := hex.DecodeString(name); len(owners) == 0 && err == nil && len(raw) == len(sessioncache.Tag{}) {
		owners = append(owners, (*sessioncache.Tag)(raw))
	}
	if len(owners) == 0 {
		if len(known) == 0 {
			known = []string{"none, as nobody has been served"}
		}
		return nil, fmt.Errorf("store %s: no context is called %q; there are: %s", store.Name, name, strings.Join(known, ", "))
	}
	return owners, nil
}
