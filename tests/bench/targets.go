package main

import (
	"fmt"
	"math"
)

// target is one line of what was promised.
type target struct {
	Work     string
	Limit    string
	Measured string
	Met      bool
	Because  string // what says why, where it was missed
}

// Verdict is "met", or "MISSED".
func (t target) Verdict() string {
	if t.Met {
		return "met"
	}
	return "MISSED"
}

// atMost is a target that is met up to a limit. A figure that is not there misses it.
func atMost(work, format string, value, limit float64) target {
	return target{
		Work: work, Limit: "<= " + fmt.Sprintf(format, limit), Measured: fmt.Sprintf(format, value),
		Met: !math.IsNaN(value) && value <= limit,
	}
}

// atLeast is one that is met from a limit on.
func atLeast(work, format string, value, limit float64) target {
	t := atMost(work, format, -value, -limit)
	t.Limit, t.Measured = ">= "+fmt.Sprintf(format, limit), fmt.Sprintf(format, value)
	return t
}

// ofRow is the target of a comparison of servers.
func ofRow(r *row) target {
	what := "CPU of " + r.Peers[1] + " / " + r.Peers[0]
	if r.Clients == 1 {
		what = "p50 of " + r.Peers[1] + " / " + r.Peers[0]
	}
	t := atMost(fmt.Sprintf("%s: %s", r.Name, what), "%.3f", r.ratio(), r.Limit)
	t.Measured += " (" + quartiles(r.Pairs, r.Of) + ")"
	if !r.valid() {
		t.Met, t.Measured = false, t.Measured+", but not every handshake was resumed"
	}
	if !t.Met {
		t.Because = r.Profile
	}
	return t
}

// targets are all of them, with what was measured.
func (b *bench) targets() []target {
	var all []target
	for _, r := range b.rows {
		all = append(all, ofRow(r))
	}
	for _, r := range b.onePlace {
		work := fmt.Sprintf("one process, TLS 1.2, %d thread(s): memory store / libssl's internal cache", r.Threads)
		t := atMost(work, "%.3f", ratio(r.Pairs, serverOf), r.Limit)
		t.Measured += " (" + quartiles(r.Pairs, serverOf) + ")"
		all = append(all, t)
	}
	all = append(all,
		atMost("a call into Go after 0.3 ms outside it, spinning: p50, us", "%.2f", after(b.gaps["spin"], "300").Call/1000, 1.3),
		atMost("a miss of the get callback, in a loop: p50, us", "%.2f", median(b.missInLoop)/1000, 1.5),
		atMost("CPU of an idle nginx worker, %", "%.3f", b.idle[1], 0.1),
		atMost("store: get of a hit, sealed, of 10^3 entries, us", "%.2f", b.figure(entriesName("get", 1e3), "ns/op")/1000, 0.45),
		atMost("store: get, of 10^6, us", "%.2f", b.figure(entriesName("get", 1e6), "ns/op")/1000, 1),
		atMost("store: put, 10^3, us", "%.2f", b.figure(entriesName("put", 1e3), "ns/op")/1000, 0.6),
		atMost("store: put, 10^6, us", "%.2f", b.figure(entriesName("put", 1e6), "ns/op")/1000, 1),
		atMost("store: allocations of a hit", "%.0f", b.figure(getName, "allocs/op"), 0),
		atMost("store: get at 10^7 entries / at 10^3", "%.2f", b.flatness(), 3),
		atMost("store: the slowest put of 1,000, full store of 1 MiB, us", "%.2f", b.figure("WorstPut/1MiB", "p99.9-ns")/1000, 3),
		atMost("store: the same, 64 MiB, us", "%.2f", b.figure("WorstPut/64MiB", "p99.9-ns")/1000, 3),
		atMost("store: sessions that are not stored of 200,000 that four processes put at once", "%.0f", b.figure("Together", "unstored"), 0),
		atLeast("hits in a full store, single-use sessions at 0.7 of its room, %", "%.2f", b.figure("UsedOnce/70%", "hit%"), 98),
		atLeast("hits where sessions are replaced at 1.2 of the room; 1 of 1.2 is the most, %", "%.2f", b.figure("Replaced", "hit%"), 83),
	)
	for _, c := range b.capacities {
		if c.Name == "nginx + gosess" {
			all = append(all, atLeast("sessions that a 1 MiB store still resumes", "%.0f", float64(c.Holds), capacityTarget))
		}
	}
	f := b.footprint
	return append(all,
		atLeast(fmt.Sprintf("hits on a Zipf trace, 10 times more sessions than room, where an LRU has %.2f, %%", b.figure(zipfName, "lru%")), "%.2f", b.figure(zipfName, "hit%"), 74.5),
		atMost("a worker: load time, ms", "%.1f", median(f.load), 5),
		atMost("a worker: resident memory more than nginx with shared:, MB", "%.1f", f.resident(), 6),
		atMost("a worker: private memory more, MB", "%.1f", f.private(), 3),
		atMost("a worker: threads of the Go half", "%.0f", float64(f.threads-1), 14),
		atMost("a worker: threads started after the first", "%.0f", float64(f.threads-f.before), 0),
		atMost(fmt.Sprintf("gosess serve: a scrape of %d contexts and %d workers, ms", watchedContexts, watchedWorkers), "%.1f", median(b.watching.scrape), 20),
		atMost("gosess serve: CPU while nobody asks, %", "%.3f", b.watching.idle, 0.1),
		atMost("gosess serve: resident memory, MB", "%.1f", b.watching.resident, 25),
	)
}

// figure is one of a benchmark of the store, which is no number where it was not measured.
func (b *bench) figure(name, unit string) float64 {
	if value, ok := b.store[name][unit]; ok {
		return value
	}
	return math.NaN()
}

// flatness is what a get costs more in the largest store than in the smallest.
func (b *bench) flatness() float64 {
	return b.store[entriesName("get", fills[len(fills)-1])]["ns/op"] / b.figure(entriesName("get", fills[0]), "ns/op")
}
