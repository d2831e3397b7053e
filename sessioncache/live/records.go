package live

import (
	"bytes"
	"context"
	"sync"

	"gosess/sessioncache"
)

// recordsMost is twice what a day of periods of 5 minutes takes: package tickets uses half of it.
const recordsMost = 640

// Records keeps a few values by name in this process, in the way in which a [sessioncache.Cache] has
// them in a store. All methods are safe for concurrent use.
type Records struct {
	mu  sync.Mutex // protects all
	all map[string]record
	now func() int64
}

type record struct {
	value   []byte
	expires int64
}

// NewRecords makes an empty one. now tells unix seconds.
func NewRecords(now func() int64) *Records {
	return &Records{all: map[string]record{}, now: now}
}

// AddRecord keeps a copy of a value under a name, until a time in unix seconds, where there is none:
// else it returns [sessioncache.ErrExists].
func (r *Records) AddRecord(_ context.Context, name string, value []byte, expires int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	switch _, exists := r.all[name]; {
	case len(value) == 0 || len(value) > sessioncache.MaxRecord:
		return sessioncache.ErrTooBig
	case r.now() > expires:
		return sessioncache.ErrExpired
	case exists:
		return sessioncache.ErrExists
	case len(r.all) == recordsMost:
		return sessioncache.ErrFull
	}
	r.all[name] = record{bytes.Clone(value), expires}
	return nil
}

// Record returns a copy of the value of a name, and nothing where there is none.
func (r *Records) Record(_ context.Context, name string) (values []sessioncache.Recorded, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	if found, ok := r.all[name]; ok {
		values = append(values, sessioncache.Recorded{Value: bytes.Clone(found.value)})
	}
	return values, nil
}

// ExpireRecords zeroes the values whose time is over.
func (r *Records) ExpireRecords(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	return nil
}

func (r *Records) expire() {
	now := r.now()
	for name, each := range r.all {
		if now > each.expires {
			clear(each.value)
			delete(r.all, name)
		}
	}
}

// RecordRoom is how many there can be.
func (r *Records) RecordRoom() int { return recordsMost }
