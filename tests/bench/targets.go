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
		atMost("a call into Go after 0.3, 1 and 5 ms outside it, spinning: the worst p50, us", "%.2f", worstCall(b.gaps["spin"])/1000, 1.5),
		atMost("the same, asleep", "%.2f", worstCall(b.gaps["sleep"])/1000, 1.5),
		atMost("CPU of an idle nginx worker, %", "%.3f", b.idle[1], 0.1),
		atMost("store: get of a hit, 137-byte session, sealed, us", "%.2f", b.store[getName]["ns/op"]/1000, 1),
		atMost("store: allocations of a hit", "%.0f", b.store[getName]["allocs/op"], 0),
		atMost("store: put, us", "%.2f", b.store[putName]["ns/op"]/1000, 1.5),
		atMost("store: get at 10^7 entries / at 10^3", "%.2f", b.flatness(), 2),
	)
	for _, c := range b.capacities {
		if c.Name == "nginx + gosess" {
			all = append(all, atLeast("sessions that a 1 MiB store still resumes", "%.0f", float64(c.Holds), capacityTarget))
		}
	}
	zipf := b.store[zipfName]
	f := b.footprint
	return append(all,
		atLeast("hits on a Zipf trace, 10 times more sessions than room; LRU's is the target, %", "%.2f", zipf["hit%"], zipf["lru%"]),
		atMost("a worker: load time, ms", "%.1f", median(f.load), 5),
		atMost("a worker: resident memory more than nginx with shared:, MB", "%.1f", f.resident(), 6),
		atMost("a worker: private memory more, MB", "%.1f", f.private(), 3),
		atMost("a worker: threads of the Go half", "%.0f", float64(f.threads-1), 14),
		atMost("a worker: threads started after the first", "%.0f", float64(f.threads-f.before), 0),
	)
}

// flatness is what a get costs more in the largest store than in the smallest.
func (b *bench) flatness() float64 {
	return b.store[entriesName("get", fills[len(fills)-1])]["ns/op"] / b.store[entriesName("get", fills[0])]["ns/op"]
}
