package window_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

var ctx = context.Background()

// fleet is machines, each with an agent, and what is far: a map in the place of Redis.
type fleet struct {
	t        testing.TB
	ended    chan struct{}
	agents   sync.WaitGroup
	mu       sync.Mutex
	far      map[sessioncache.LookupKey]entry
	machines []*shm.Served
}

type entry struct {
	sealed  []byte
	expires uint32
}

// newFleet serves the stores of these paths as soon as they are there, until the test ends.
func newFleet(t testing.TB, answers bool, paths ...string) *fleet {
	f := &fleet{t: t, ended: make(chan struct{}), far: map[sessioncache.LookupKey]entry{}}
	t.Cleanup(f.end)
	f.agents.Go(func() {
		for _, path := range paths {
			store := f.await(path)
			if store == nil {
				return
			}
			f.machines = append(f.machines, store)
		}
		for _, store := range f.machines {
			f.agents.Go(func() { f.serve(store, answers) })
		}
	})
	return f
}

func (f *fleet) end() {
	close(f.ended)
	f.agents.Wait()
	for _, store := range f.machines {
		store.Close()
	}
}

func (f *fleet) isOver() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// await opens a store that a server is about to make; nil where the test ends before.
func (f *fleet) await(path string) *shm.Served {
	for !f.isOver() {
		if store, err := shm.Serve(path); err == nil {
			return store
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

func (f *fleet) serve(store *shm.Served, answers bool) {
	w := store.Window()
	w.Renew(window.LongestLease)
	w.OpenGate()
	requests := make([]window.Request, 0, 64)
	for reclaimed := time.Now(); !f.isOver(); {
		if time.Since(reclaimed) > time.Second {
			w.Reclaim()
			reclaimed = time.Now()
		}
		if !answers {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		w.Renew(window.LongestLease)
		w.OpenGate()
		f.hear(store, w)
		requests = w.Collect(requests[:0])
		for i := range requests {
			state := uint32(window.Miss)
			if f.bring(store, &requests[i]) {
				state = window.Hit
			}
			w.Answer(&requests[i], state)
		}
		if len(requests) == 0 {
			w.Await(2 * time.Millisecond)
		}
	}
}

// bring puts what is far into the store.
func (f *fleet) bring(store *shm.Served, r *window.Request) (found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := uint32(time.Now().Unix())
	for _, key := range r.Keys() {
		e, ok := f.far[key]
		if !ok {
			continue
		}
		found = true
		if r.Operation == window.GetRecord {
			_ = store.AddRecord(ctx, &key, e.sealed, e.expires, now) // which another worker may have done
		} else if err := store.Put(ctx, &key, e.sealed, e.expires, now); err != nil {
			f.t.Errorf("put what is far: %v", err)
		}
		if r.Operation == window.Take {
			delete(f.far, key)
		}
	}
	return found
}

// hear carries out what a worker has told.
func (f *fleet) hear(store *shm.Served, w *window.Window) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, item := range w.Drain(make([]window.Item, 0, 64)) {
		f.carryOut(store, &item)
	}
	w.Delivered()
}

func (f *fleet) carryOut(store *shm.Served, item *window.Item) {
	now := uint32(time.Now().Unix())
	var e sessioncache.Entry
	switch item.Kind {
	case window.Stored:
		if store.Look(&item.Key, &e) {
			f.far[item.Key] = entry{bytes.Clone(e.Sealed), e.Expires}
		}
	case window.Made:
		if found, _ := store.FindRecord(ctx, &item.Key, &e, now); found {
			f.addRecord(store, &item.Key, &e, now)
		}
	case window.Removed:
		delete(f.far, item.Key)
		for _, each := range f.machines {
			if each.Look(&item.Key, &e) {
				_, _ = each.Drop(ctx, &e)
			}
		}
	case window.Flushed:
		for key, e := range f.far {
			if owner := item.Owner(); (owner == nil || sessioncache.OwnerOf(e.sealed) == *owner) && (item.Expires == 0 || e.expires < item.Expires) {
				delete(f.far, key)
			}
		}
		for _, each := range f.machines {
			_ = each.Flush(ctx, item.Owner(), item.Expires)
		}
	}
}

// addRecord makes a record far where there is none, and else has the machine take that one.
func (f *fleet) addRecord(store *shm.Served, key *sessioncache.LookupKey, made *sessioncache.Entry, now uint32) {
	far, ok := f.far[*key]
	if !ok {
		f.far[*key] = entry{bytes.Clone(made.Sealed), made.Expires}
		return
	}
	if bytes.Equal(far.sealed, made.Sealed) {
		return
	}
	if err := store.DropRecord(ctx, made, now); err != nil {
		f.t.Error(err)
	}
	_ = store.AddRecord(ctx, key, far.sealed, far.expires, now)
}
