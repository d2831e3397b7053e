package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"gosess/capi/settings"
	"gosess/sessioncache"
)

// counters are what --json shows of a store and of each worker.
type counters struct {
	Hits      uint64 `json:"hits"`
	Misses    uint64 `json:"misses"`
	Stores    uint64 `json:"stores"`
	Evictions uint64 `json:"evictions"`
	Expiries  uint64 `json:"expiries"`
	Removals  uint64 `json:"removals"`
	TooBig    uint64 `json:"tooBig"`
	Errors    uint64 `json:"errors"`
}

type worker struct {
	PID     int   `json:"pid"`
	Started int64 `json:"started"` // unix seconds
	Live    bool  `json:"live"`
	counters
}

type report struct {
	Store string `json:"store"`
	counters
	Entries  uint64   `json:"entries"`
	Used     uint64   `json:"used"`     // bytes
	Capacity uint64   `json:"capacity"` // bytes
	Size     uint64   `json:"size"`     // bytes
	Created  int64    `json:"created"`  // unix seconds
	Workers  []worker `json:"workers"`
}

func stats(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("stats", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	pid := flags.Int("pid", 0, "")
	rest, err := parse(flags, args)
	if err != nil {
		return err
	}
	var name, path string
	switch {
	case *pid > 0 && len(rest) == 0:
		name = fmt.Sprintf("of process %d", *pid)
		path, err = mappedBy(*pid)
	case *pid == 0 && len(rest) == 1:
		name = rest[0]
		path, err = pathOf(rest[0])
	default:
		return usageError{"stats takes one URL, or --pid and the id of a process"}
	}
	if err != nil {
		return err
	}
	seen, err := read(path)
	if err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	r := reportOf(name, seen)
	if *asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	return r.write(out)
}

func pathOf(url string) (string, error) {
	parsed, err := settings.Parse(url)
	if err != nil {
		return "", err
	}
	if parsed.Path == "" {
		return "", errors.New("a store in memory has no path; name a process that has it mapped: gosess stats --pid PID")
	}
	return parsed.Path, nil
}

// mappedBy finds the anonymous store that a process, or its parent before it, has made.
func mappedBy(pid int) (string, error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return "", err
	}
	defer maps.Close()
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 5 && fields[5] == "/memfd:gosess" && strings.HasSuffix(fields[1], "s") {
			return fmt.Sprintf("/proc/%d/map_files/%s", pid, fields[0]), nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("process %d has no store in memory mapped", pid)
}

// read maps a store read-only: it needs no keys and changes nothing.
func read(path string) (sessioncache.Stats, error) {
	var none sessioncache.Stats
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return none, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return none, err
	}
	if !info.Mode().IsRegular() {
		return none, errors.New("not a regular file")
	}
	if info.Size() == 0 {
		return none, sessioncache.ErrNotOurs
	}
	mapping, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return none, fmt.Errorf("map: %w", err)
	}
	defer syscall.Munmap(mapping)
	store, err := sessioncache.OpenShmReadOnly(mapping)
	if err != nil {
		return none, err
	}
	return store.Stats(), nil
}

func reportOf(name string, s sessioncache.Stats) report {
	r := report{
		Store: name, counters: counters(s.Total), Entries: s.Entries, Used: s.Used,
		Capacity: s.Capacity, Size: s.Size, Created: s.Created, Workers: []worker{},
	}
	for _, w := range s.Workers {
		r.Workers = append(r.Workers, worker{w.PID, w.Started, w.Live, counters(w.Counters)})
	}
	return r
}

// write is for people: the store, then a line for all workers and one for each.
func (r *report) write(out io.Writer) error {
	fmt.Fprintf(out, "store    %s\n", r.Store)
	fmt.Fprintf(out, "made     %s, size %s\n", clock(r.Created), settings.SizeText(r.Size))
	fmt.Fprintf(out, "entries  %d, %.1f %% of the room\n\n", r.Entries, percent(r.Used, r.Capacity))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(values ...any) {
		for _, v := range values {
			fmt.Fprintf(table, "%v\t", v)
		}
		fmt.Fprintln(table)
	}
	counted := func(c counters, first, last string) {
		row(first, c.Hits, c.Misses, c.Stores, c.Evictions, c.Expiries, c.Removals, c.TooBig, c.Errors, last)
	}
	row("worker", "hits", "misses", "stores", "evictions", "expiries", "removals", "too big", "errors", "since")
	counted(r.counters, "all", clock(r.Created))
	for _, w := range r.Workers {
		name := fmt.Sprint(w.PID)
		if !w.Live {
			name += " ended"
		}
		counted(w.counters, name, clock(w.Started))
	}
	return table.Flush()
}

func clock(seconds int64) string {
	return time.Unix(seconds, 0).Format("2006-01-02 15:04:05")
}

func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
