package main

import (
	"flag"
	"time"

	"gosess/capi/settings"
	"gosess/internal/inspect"
	"gosess/internal/metrics"
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
