package main

import (
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"gosess/capi/settings"
	"gosess/internal/inspect"
	"gosess/sessioncache"
)

// prepareStats shows what a store says about itself.
func prepareStats(flags *flag.FlagSet) action {
	asJSON := jsonOption(flags)
	pid := flags.Int("pid", 0, "`PID` of a process that has a store in memory mapped: the server's master, or a worker")
	return func(out *output, operands []string) error {
		store, err := openStore(*pid, operands)
		if err != nil {
			return err
		}
		defer store.Close()
		seen, err := store.Stats()
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(out, store.Name, seen)
		}
		return writeTable(out, store.Name, seen)
	}
}

// openStore opens the one store that a command line names.
func openStore(pid int, operands []string) (*inspect.Store, error) {
	switch {
	case pid > 0 && len(operands) == 0:
		return inspect.ByProcess(pid)
	case pid == 0 && len(operands) == 1:
		return inspect.ByURL(operands[0])
	}
	return nil, usageError{"stats takes one URL, or --pid and the id of a process"}
}

// withCounters is an object that goes on with the counters.
func withCounters(o object, counters sessioncache.Counters) object {
	for c, value := range counters {
		o = append(o, member{camel(sessioncache.Descriptions[c].Name), value})
	}
	return o
}

// writeJSON is for programs.
func writeJSON(out io.Writer, name string, s sessioncache.Stats) error {
	workers := []object{}
	for _, w := range s.Workers {
		workers = append(workers, withCounters(object{
			{"pid", w.PID},
			{"started", w.Started}, // unix seconds
			{"live", w.Live},
		}, w.Counters))
	}
	return writeObject(out, append(withCounters(object{{"store", name}}, s.Total),
		member{"entries", s.Entries},
		member{"used", s.Used}, // bytes, as the next two
		member{"capacity", s.Capacity},
		member{"size", s.Size},
		member{"created", s.Created}, // unix seconds
		member{"workers", workers},
	))
}

// writeTable is for people: the store, then a line for all workers and one for each.
func writeTable(out io.Writer, name string, s sessioncache.Stats) error {
	fmt.Fprintf(out, "store    %s\n", name)
	fmt.Fprintf(out, "made     %s, size %s\n", clock(s.Created), settings.SizeText(s.Size))
	fmt.Fprintf(out, "entries  %d, %.1f %% of the room\n\n", s.Entries, percent(s.Used, s.Capacity))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "worker\t")
	for _, d := range sessioncache.Descriptions {
		fmt.Fprintf(table, "%s\t", d.Name)
	}
	fmt.Fprintln(table, "since\t")
	row := func(first string, counters sessioncache.Counters, since int64) {
		fmt.Fprintf(table, "%s\t", first)
		for _, value := range counters {
			fmt.Fprintf(table, "%d\t", value)
		}
		fmt.Fprintf(table, "%s\t\n", clock(since))
	}
	row("all", s.Total, s.Created)
	for _, w := range s.Workers {
		name := fmt.Sprint(w.PID)
		if !w.Live {
			name += " ended"
		}
		row(name, w.Counters, w.Started)
	}
	if err := table.Flush(); err != nil || len(s.Workers) > 0 {
		return err
	}
	_, err := io.WriteString(out, unused)
	return err
}

// What is most often meant by a store that no worker has used.
const unused = `
No worker has used it. Clients whose tickets carry their sessions never ask a cache: turn tickets off in the server,
or set GOSESS_TICKETS=stateful (Tickets, in gosess(7)). Else the server's log says why it serves without.
`

func clock(seconds int64) string {
	return time.Unix(seconds, 0).Format("2006-01-02 15:04:05")
}

func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
