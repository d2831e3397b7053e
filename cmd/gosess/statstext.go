package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"gosess/capi/settings"
	"gosess/internal/metrics"
	"gosess/internal/span"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// writeStats is for people: the store, then a line for all and one for each context and worker.
func writeStats(out *output, name string, s *sessioncache.Stats) error {
	now := time.Now()
	line := func(title, format string, values ...any) {
		fmt.Fprintf(out, "%-10s %s\n", title, strings.TrimRight(fmt.Sprintf(format, values...), " "))
	}
	line("store", "%s", name)
	line("made", "%s, size %s, format %d", clock(s.Created), settings.SizeText(s.Size), shm.Version)
	line("sessions", "%d, in %s, %.1f %% of the room%s", s.Entries, amount(s.Used), percent(s.Used, s.Capacity), oldest(s, now))
	t := &s.Total
	line("lookups", "%d: %d hits (%.1f %%), %d misses%s", t[sessioncache.Hits]+t[sessioncache.Misses], t[sessioncache.Hits],
		hitPercent(t), t[sessioncache.Misses], because(t, metrics.Missed))
	line("stores", "%d%s", t[sessioncache.Stores], because(t, metrics.Kept))
	line("ends", "%s", ends(t))
	line("latency", "%s", latency(s))
	line("tickets", "%s", ticketsLine(t))
	if s.Agent != nil {
		line("agent", "%s", agent(s.Agent))
		line("asked it", "%s", asked(s.Agent))
	}
	contexts := metrics.ByLabel(s)
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := func(first, last string) {
		fmt.Fprintf(table, "%s\thits\tmisses\thit %%\tstores\tkept\t  %s\n", first, last)
	}
	row := func(first string, c *sessioncache.Counters, last string) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%.1f\t%d\t%d\t%s\n", first, c[sessioncache.Hits], c[sessioncache.Misses], hitPercent(c),
			c[sessioncache.Stores], metrics.Kept.Sum(c), after("  ", last))
	}
	if len(contexts) > 0 {
		head("context", "why")
		for i := range contexts {
			row(contexts[i].Label, &contexts[i].Counters, why(&contexts[i].Counters))
		}
		table.Flush()
		fmt.Fprintln(out)
	}
	writeTickets(out, s, contexts, now)
	head("worker", "since")
	row("all", t, clock(s.Created))
	for i := range s.Workers {
		w := &s.Workers[i]
		row(workerName(w), &w.Counters, clock(w.Started)+runs(w)+after("; ", why(&w.Counters)))
	}
	if err := table.Flush(); err != nil || slices.ContainsFunc(s.Workers, func(w sessioncache.Worker) bool { return w.IsServer() }) {
		return err
	}
	_, err := io.WriteString(out, unused)
	return err
}

// What is most often meant by a store that no worker has used.
const unused = `
No worker has used it: a worker does when its first client comes. Clients whose tickets carry their sessions never ask a cache, and with
GOSESS_TICKETS=keep the server seals them by itself: GOSESS_TICKETS=shared has gosess do it (gosess(7), Tickets). Else the server's log says
why it serves without.
`

func workerName(w *sessioncache.Worker) string {
	name := fmt.Sprint(w.PID)
	if w.IsAgent() {
		name += " agent"
	}
	if !w.Live {
		name += " ended"
	}
	return name
}

// runs says what a worker runs, where it is another version than this command.
func runs(w *sessioncache.Worker) string {
	if v := w.Versions.GosessText(); v != "" && v != settings.Version {
		return ", gosess " + v
	}
	return ""
}

// oldest says how old the oldest session is: a store knows that to 3 % of what the session was to live.
func oldest(s *sessioncache.Stats, now time.Time) string {
	if s.Entries == 0 {
		return ""
	}
	return ", the oldest is about " + span.Short(now.Unix()-s.Oldest) + " old"
}

// because names the reasons of a kind that there were.
func because(c *sessioncache.Counters, kind metrics.Reasons) string {
	switch named := reasons(c, kind); {
	case named == "":
		return ""
	case kind == metrics.Kept:
		return ", kept in their process: " + named
	default:
		return ": " + named
	}
}

// why names the reasons of both kinds, at the end of a row.
func why(c *sessioncache.Counters) string {
	var parts []string
	if named := reasons(c, metrics.Missed); named != "" {
		parts = append(parts, "missed: "+named)
	}
	if named := reasons(c, metrics.Kept); named != "" {
		parts = append(parts, "kept: "+named)
	}
	return strings.Join(parts, "; ")
}

// ends says what has become of sessions.
func ends(c *sessioncache.Counters) string {
	text := fmt.Sprintf("%d evicted", c[sessioncache.Evictions])
	if n := c[sessioncache.Evictions]; n > 0 {
		text += " at an age of " + span.Short(int64(c[sessioncache.EvictionAge]/n))
	}
	return text + fmt.Sprintf(", %d expired, %d removed, %d too big, %d errors",
		c[sessioncache.Expiries], c[sessioncache.Removals], c[sessioncache.TooBig], c[sessioncache.Errors])
}

// latency says what half, and nearly all, of the operations stay below.
func latency(s *sessioncache.Stats) string {
	var parts []string
	for o := range s.Latency {
		if h := &s.Latency[o]; h.Count() > 0 {
			parts = append(parts, fmt.Sprintf("%s p50 < %v, p99 < %v", sessioncache.Operation(o), rounded(h.Quantile(0.5)), rounded(h.Quantile(0.99))))
		}
	}
	if len(parts) == 0 {
		return "none was timed yet (one operation in 16 is)"
	}
	return strings.Join(parts, "; ")
}

func rounded(d time.Duration) string {
	if d < 10*time.Microsecond {
		return fmt.Sprintf("%.1f us", float64(d)/1e3)
	}
	return fmt.Sprintf("%.0f us", float64(d)/1e3)
}

// after puts something between a text and the one before it, where there is one.
func after(between, text string) string {
	if text == "" {
		return ""
	}
	return between + text
}

func hitPercent(c *sessioncache.Counters) float64 {
	return percent(c[sessioncache.Hits], c[sessioncache.Hits]+c[sessioncache.Misses])
}

// amount is a number of bytes.
func amount(bytes uint64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}

func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
