package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"gosess/internal/inspect"
	"gosess/sessioncache"
)

// A watcher looks at a store again and again: at the one that is in its place, where another one has been put there. Where none is,
// it goes on with what servers may still have mapped.
type watcher struct {
	open  func() (*inspect.Store, error)
	store *inspect.Store // nil: none is open
}

// look reads the store, and says whether it is another one than the last time.
func (w *watcher) look() (seen sessioncache.Stats, another bool, err error) {
	if w.store == nil || w.store.Replaced() {
		store, err := w.open()
		switch {
		case err == nil:
			w.close()
			w.store, another = store, true
		case w.store == nil:
			return seen, false, err
		}
	}
	seen, err = w.store.Glance()
	return seen, another, err
}

func (w *watcher) close() {
	if w.store != nil {
		w.store.Close()
		w.store = nil
	}
}

// json prints an object a line.
func (w *watcher) json(out *output, interval time.Duration) error {
	for {
		seen, _, err := w.look()
		if err != nil {
			return err
		}
		line, err := json.Marshal(append(object{{"time", time.Now().Unix()}}, statsObject(w.store.Name, &seen)...))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
			return err
		}
		time.Sleep(interval)
	}
}

// screen shows what fits, from the upper left corner of a terminal.
func (w *watcher) screen(out *output, interval time.Duration) error {
	var before sessioncache.Stats
	var then time.Time
	for {
		seen, another, err := w.look()
		if err != nil {
			return err
		}
		if another {
			before = sessioncache.Stats{}
		}
		now := time.Now()
		columns, rows, terminal := windowSize(os.Stdout)
		if !terminal || columns == 0 || rows == 0 {
			columns, rows = 80, 24
		}
		picture := screen{out: out, columns: min(columns, 200), rows: rows}
		picture.draw(w.store.Name, &seen, &before, now.Sub(then), now)
		if err := picture.show(terminal); err != nil {
			return err
		}
		before, then = seen, now
		time.Sleep(interval)
	}
}
