package main

import (
	"flag"
	"time"

	"gosess/capi/settings"
	"gosess/internal/inspect"
	"gosess/internal/metrics"
	"gosess/sessioncache"
)

// prepareStats shows what a store says about itself.
func prepareStats(flags *flag.FlagSet) action {
	asJSON := jsonOption(flags)
	pid := pidOption(flags)
	prometheus := flags.Bool("prometheus", false, "print it as Prometheus reads it, for its node exporter's textfile collector")
	watch := flags.Duration("watch", 0, "`INTERVAL`, 1s for example: show it again and again, with rates; ^C ends it")
	return func(out *output, operands []string) error {
		if *watch < 0 || (*watch > 0 && *watch < 100*time.Millisecond) {
			return usageError{"stats: --watch is 100ms or more"}
		}
		if *prometheus && (*asJSON || *watch > 0) {
			return usageError{"stats: --prometheus stands alone"}
		}
		open := func() (*inspect.Store, error) { return openStore("stats", *pid, operands, inspect.ToRead) }
		if *watch > 0 {
			w := watcher{open: open}
			defer w.close()
			if *asJSON {
				return w.json(out, *watch)
			}
			return w.screen(out, *watch)
		}
		store, err := open()
		if err != nil {
			return err
		}
		defer store.Close()
		seen, err := store.Stats()
		switch {
		case err != nil:
			return err
		case *prometheus:
			of := []metrics.Store{{Name: store.Name, Stats: seen}}
			return metrics.Write(out, metrics.Prometheus, settings.Version, of, time.Now().Unix())
		case *asJSON:
			return writeObject(out, statsObject(store.Name, &seen))
		}
		return writeStats(out, store.Name, &seen)
	}
}

// withCounters is an object that goes on with the counters.
func withCounters(o object, counters sessioncache.Counters) object {
	for c, value := range counters {
		o = append(o, member{camel(sessioncache.Descriptions[c].Name), value})
	}
	return o
}

// statsObject is for programs. Times are in unix seconds, sizes in bytes.
func statsObject(name string, s *sessioncache.Stats) object {
	workers, contexts, latency := []object{}, []object{}, object{}
	for _, w := range s.Workers {
		workers = append(workers, withCounters(object{
			{"pid", w.PID},
			{"started", w.Started},
			{"live", w.Live},
			{"version", w.Versions.GosessText()},
			{"abi", w.Versions.ABI},
			{"libssl", w.Versions.LibsslText()},
		}, w.Counters))
	}
	for _, c := range s.Contexts {
		contexts = append(contexts, withCounters(object{
			{"context", contextName(c.Owner)},
			{"label", c.Label},
			{"started", c.Started},
			{"live", c.Live},
			{"pids", c.Workers},
		}, c.Counters))
	}
	for o := range s.Latency {
		h := &s.Latency[o]
		buckets := []object{}
		for b, count := range h.Buckets {
			below := object{}
			if b < len(h.Buckets)-1 {
				below = object{{"below", sessioncache.BucketEnd(b).Seconds()}}
			}
			buckets = append(buckets, append(below, member{"count", count}))
		}
		latency = append(latency, member{sessioncache.Operation(o).String(), object{{"sum", h.Sum.Seconds()}, {"buckets", buckets}}})
	}
	o := append(withCounters(object{{"store", name}}, s.Total),
		member{"entries", s.Entries},
		member{"used", s.Used},
		member{"capacity", s.Capacity},
		member{"oldest", s.Oldest},
		member{"size", s.Size},
		member{"created", s.Created},
		member{"workers", workers},
		member{"contexts", contexts},
		member{"latency", latency}, // of one operation in 16
		member{"secrets", secretObjects(s)},
	)
	if s.Agent != nil {
		o = append(o, member{"agent", agentObject(s.Agent)})
	}
	return o
}
