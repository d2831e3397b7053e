package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"time"

	"gosess/internal/inspect"
	"gosess/internal/span"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// contextOption is the same for both commands.
func contextOption(flags *flag.FlagSet) *string {
	return flags.String("context", "", "`CONTEXT`, as stats and ls call it, or the name of its certificate: its sessions alone")
}

// prepareFlush drops sessions of a store, while servers go on.
func prepareFlush(flags *flag.FlagSet) action {
	asJSON, pid, context := jsonOption(flags), pidOption(flags), contextOption(flags)
	older := flags.Duration("older", 0, "`AGE`, 1h for example: those alone that were stored before that")
	return func(out *output, operands []string) error {
		if *older < 0 {
			return usageError{"flush: --older is an age"}
		}
		store, err := openStore("flush", *pid, operands, inspect.ToChange)
		if err != nil {
			return err
		}
		defer store.Close()
		before := int64(0)
		if *older > 0 {
			before = time.Now().Add(-*older).Unix()
		}
		owners, err := ownersOf(store, *context)
		if err != nil {
			return err
		}
		flushed := 0
		for _, owner := range owners {
			n, err := store.Flush(owner, before)
			if flushed += n; err != nil {
				return err
			}
		}
		if *asJSON {
			return writeObject(out, object{{"store", store.Name}, {"flushed", flushed}})
		}
		_, err = fmt.Fprintf(out, "flushed %d sessions of store %s\n", flushed, store.Name)
		return err
	}
}

// prepareList lists the sessions of a store, as far as it shows them without a key.
func prepareList(flags *flag.FlagSet) action {
	asJSON, pid, context := jsonOption(flags), pidOption(flags), contextOption(flags)
	return func(out *output, operands []string) error {
		store, err := openStore("ls", *pid, operands, inspect.ToRead)
		if err != nil {
			return err
		}
		defer store.Close()
		owners, err := ownersOf(store, *context)
		if err != nil {
			return err
		}
		seen, err := store.Stats()
		if err != nil {
			return err
		}
		labels := map[sessioncache.Tag]string{}
		for _, c := range seen.Contexts {
			labels[c.Owner] = c.Label
		}
		buffered := bufio.NewWriter(out)
		list := lines
		if *asJSON {
			list = objects
		}
		show := list(buffered, labels)
		for _, owner := range owners {
			if err := store.List(owner, show); err != nil {
				return err
			}
		}
		return buffered.Flush()
	}
}

// lines is for people: a table.
func lines(out *bufio.Writer, labels map[sessioncache.Tag]string) func(shm.Listed) {
	now := time.Now().Unix()
	fmt.Fprintf(out, "%-11s  %-8s  %6s  %6s  %5s  %-4s  %s\n", "KEY", "CONTEXT", "AGE", "ENDS", "BYTES", "USED", "CERTIFICATE")
	return func(l shm.Listed) {
		used, ends := "no", "over"
		if l.Used {
			used = "yes"
		}
		if l.Expires >= now {
			ends = span.Short(l.Expires - now)
		}
		fmt.Fprintf(out, "%011x  %s  %6s  %6s  %5d  %-4s  %s\n", l.Key, contextName(l.Owner), span.Short(now-l.Stored), ends, l.Size, used, labels[l.Owner])
	}
}

// objects is for programs: one a line, as there may be hundreds of thousands.
func objects(out *bufio.Writer, labels map[sessioncache.Tag]string) func(shm.Listed) {
	return func(l shm.Listed) {
		line, err := json.Marshal(object{
			{"key", fmt.Sprintf("%011x", l.Key)},
			{"context", contextName(l.Owner)},
			{"label", labels[l.Owner]},
			{"stored", l.Stored},
			{"expires", l.Expires},
			{"size", l.Size},
			{"used", l.Used},
		})
		if err == nil {
			out.Write(append(line, '\n'))
		}
	}
}
