// Package metrics writes what stores count as text that Prometheus reads: its own format, or OpenMetrics.
package metrics

import (
	"bufio"
	"io"
	"strconv"

	"gosess/sessioncache"
)

// Write writes the metrics of all stores. now is unix seconds.
func Write(out io.Writer, format Format, version string, stores []Store, now int64) error {
	w := &writer{bufio.NewWriterSize(out, 32<<10), format}
	w.family("gosess_build", "info", "the version of the program that tells this")
	w.sample("gosess_build_info", labels{{"version", version}}, 1)
	w.gauges(stores, now)
	w.totals(stores)
	w.contexts(stores)
	w.tickets(stores, now)
	w.workers(stores)
	w.latency(stores)
	w.agents(stores)
	if format == OpenMetrics {
		w.WriteString("# EOF\n")
	}
	return w.Flush()
}

// gauges are what a store is now.
func (w *writer) gauges(stores []Store, now int64) {
	w.family("gosess_up", "gauge", "whether the store can be read")
	for _, s := range stores {
		w.sample("gosess_up", labels{{"store", s.Name}}, float64(b2i(s.Err == nil)))
	}
	for _, g := range []struct {
		name, help string
		value      func(*sessioncache.Stats) float64
	}{
		{"gosess_sessions", "sessions that are stored", func(s *sessioncache.Stats) float64 { return float64(s.Entries) }},
		{"gosess_used_bytes", "bytes that sessions take up", func(s *sessioncache.Stats) float64 { return float64(s.Used) }},
		{"gosess_capacity_bytes", "bytes that sessions can take up", func(s *sessioncache.Stats) float64 { return float64(s.Capacity) }},
		{"gosess_size_bytes", "bytes of the whole store", func(s *sessioncache.Stats) float64 { return float64(s.Size) }},
		{"gosess_created_timestamp_seconds", "when the store was made", func(s *sessioncache.Stats) float64 { return float64(s.Created) }},
		{"gosess_oldest_session_age_seconds", "how long ago the oldest session was stored", func(s *sessioncache.Stats) float64 {
			if s.Entries == 0 {
				return 0
			}
			return float64(max(now-s.Oldest, 0))
		}},
		{"gosess_workers", "processes of servers that have the store open", func(s *sessioncache.Stats) float64 {
			n := 0
			for _, worker := range s.Workers {
				n += b2i(worker.Live && worker.IsServer())
			}
			return float64(n)
		}},
	} {
		w.family(g.name, "gauge", g.help)
		for _, s := range stores {
			if s.Err == nil {
				w.sample(g.name, labels{{"store", s.Name}}, g.value(&s.Stats))
			}
		}
	}
}

// ofStores are the counters that are a store's as a whole: which context a session makes way for is chance.
var ofStores = []sessioncache.Counter{
	sessioncache.Evictions, sessioncache.Expiries, sessioncache.Removals, sessioncache.TooBig, sessioncache.Errors,
}

func (w *writer) totals(stores []Store) {
	for _, c := range ofStores {
		w.counter(stores, under(c.String()), sessioncache.Descriptions[c].Help, c)
	}
	w.counter(stores, "eviction_age_seconds", sessioncache.Descriptions[sessioncache.EvictionAge].Help, sessioncache.EvictionAge)
}

func (w *writer) counter(stores []Store, name, help string, c sessioncache.Counter) {
	w.family("gosess_"+name, "counter", help)
	for _, s := range stores {
		if s.Err == nil {
			w.sample("gosess_"+name+"_total", labels{{"store", s.Name}}, float64(s.Stats.Total[c]))
		}
	}
}

// contexts are the counters that are told by context.
func (w *writer) contexts(stores []Store) {
	for _, c := range []sessioncache.Counter{sessioncache.Hits, sessioncache.Stores} {
		w.byContext("gosess_"+c.String(), sessioncache.Descriptions[c].Help, stores, c)
	}
	w.byReason("gosess_misses", "lookups that returned none, by reason", stores, Missed)
	w.byReason("gosess_kept", "stored sessions that are kept in their process alone, by reason", stores, Kept)
}

// workers are the processes that are known one by one.
func (w *writer) workers(stores []Store) {
	each := func(do func(of labels, worker *sessioncache.Worker)) {
		for i := range stores {
			for k := range stores[i].Stats.Workers {
				worker := &stores[i].Stats.Workers[k]
				do(labels{{"store", stores[i].Name}, {"pid", strconv.Itoa(worker.PID)}}, worker)
			}
		}
	}
	w.family("gosess_worker_up", "gauge", "whether the process lives, and what it runs")
	each(func(of labels, worker *sessioncache.Worker) {
		of = append(of, label{"version", worker.Versions.GosessText()}, label{"libssl", worker.Versions.LibsslText()})
		w.sample("gosess_worker_up", of, float64(b2i(worker.Live)))
	})
	w.family("gosess_worker_start_timestamp_seconds", "gauge", "when the process opened the store")
	each(func(of labels, worker *sessioncache.Worker) {
		w.sample("gosess_worker_start_timestamp_seconds", of, float64(worker.Started))
	})
	for _, c := range []sessioncache.Counter{sessioncache.Hits, sessioncache.Misses, sessioncache.Stores} {
		name := "gosess_worker_" + c.String()
		w.family(name, "counter", sessioncache.Descriptions[c].Help+", by process")
		each(func(of labels, worker *sessioncache.Worker) {
			w.sample(name+"_total", of, float64(worker.Counters[c]))
		})
	}
}

// latency is a histogram for each operation.
func (w *writer) latency(stores []Store) {
	const name = "gosess_operation_duration_seconds"
	w.family(name, "histogram", "how long operations take, of one in 16 that is chosen at random")
	for i := range stores {
		if stores[i].Err != nil {
			continue
		}
		for o := range stores[i].Stats.Latency {
			h := &stores[i].Stats.Latency[o]
			of := labels{{"store", stores[i].Name}, {"operation", sessioncache.Operation(o).String()}}
			sum := uint64(0)
			for b, count := range h.Buckets {
				sum += count
				end := "+Inf"
				if b < len(h.Buckets)-1 {
					end = strconv.FormatFloat(sessioncache.BucketEnd(b).Seconds(), 'g', -1, 64)
				}
				w.sample(name+"_bucket", append(of[:2:2], label{"le", end}), float64(sum))
			}
			w.sample(name+"_sum", of, h.Sum.Seconds())
			w.sample(name+"_count", of, float64(sum))
		}
	}
}
