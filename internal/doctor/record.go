package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"gosess/internal/probe"
	"gosess/internal/regular"
)

// Record is what one run leaves for the next: when each key was seen, and a session of each way and address. The sessions'
// secrets protect nothing but the connections of the doctor itself.
type Record struct {
	Format   int              `json:"format"`
	Target   string           `json:"target"`
	When     time.Time        `json:"when"`
	Keys     []recordedKey    `json:"keys"`
	Sessions []recordedTicket `json:"sessions"`
}

const (
	recordFormat = 1
	recordLimit  = 4 << 20  // bytes
	sessionLimit = 16 << 10 // bytes of a session: one of each way at as many addresses as are looked at stay below the other limit
	recordedKeys = 200      // that are remembered, the newest
)

type recordedKey struct {
	Name  string    `json:"name"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

type recordedTicket struct {
	Way     string        `json:"way"`
	Address string        `json:"address"`
	Name    string        `json:"name"`
	Made    time.Time     `json:"made"`
	Session probe.Session `json:"session"`
}

// ReadRecord reads the record of an earlier run; nil where there is none yet.
func ReadRecord(path, target string) (*Record, error) {
	file, err := regular.Open(path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, recordLimit+1))
	if err != nil {
		return nil, err
	}
	record := &Record{}
	if len(text) > recordLimit || json.Unmarshal(text, record) != nil || record.Format != recordFormat {
		return nil, fmt.Errorf("%s: no record of gosess doctor", path)
	}
	if record.Target != target {
		return nil, fmt.Errorf("%s: a record of %q, not of %q", path, record.Target, target)
	}
	return record, nil
}

// Write replaces the record of an earlier run by this one; only the owner may read it.
func (r *Record) Write(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return regular.Replace(path, append(text, '\n'))
}

// compare offers the sessions of an earlier run where they were made: one of each way at each address, under the name that is asked
// for now too.
func (e *examiner) compare(ctx context.Context, before *Record) {
	since := &Since{When: before.When}
	for at, address := range e.report.Addresses {
		for _, way := range e.report.Ways {
			n := slices.IndexFunc(before.Sessions, func(old recordedTicket) bool {
				return old.Address == address.Address && old.Way == way.Name && old.Name == e.name
			})
			if n < 0 {
				continue
			}
			old := before.Sessions[n]
			seen, err := e.visit(ctx, at, probe.Ask{Name: e.name, Kind: way.Kind, Session: &old.Session})
			if err != nil {
				continue
			}
			since.Sessions = append(since.Sessions, Kept{old.Way, old.Address, Duration(e.report.When.Sub(old.Made)),
				Duration(old.Session.Hint), seen.Resumed})
		}
	}
	e.report.Since = since
}

// remember says since when the keys of this run are known, and what the next run is to know.
func (e *examiner) remember(before *Record, target string) *Record {
	now := e.report.When
	record := &Record{Format: recordFormat, Target: target, When: now}
	if before != nil {
		record.Keys = before.Keys
	}
	for n := range e.report.Keys.Keys {
		key := &e.report.Keys.Keys[n]
		known := slices.IndexFunc(record.Keys, func(k recordedKey) bool { return k.Name == key.Name })
		if known < 0 {
			record.Keys = append(record.Keys, recordedKey{key.Name, now, now})
			if e.report.Since != nil {
				e.report.Since.NewKeys++
			}
			continue
		}
		record.Keys[known].Last = now
		first := record.Keys[known].First
		key.FirstSeen = &first
		if e.report.Since != nil {
			e.report.Since.OldKeys++
		}
	}
	slices.SortStableFunc(record.Keys, func(a, b recordedKey) int { return b.Last.Compare(a.Last) })
	record.Keys = record.Keys[:min(len(record.Keys), recordedKeys)]
	return record
}

// leave makes a session of each way at each address for the next run.
func (e *examiner) leave(ctx context.Context, record *Record) {
	for n, address := range e.report.Addresses {
		for _, way := range e.report.Ways {
			if way.Given == 0 {
				continue
			}
			seen, err := e.visit(ctx, n, probe.Ask{Name: e.name, Kind: way.Kind})
			if err != nil || gives(way.Kind, seen.Sessions) == givesNothing {
				continue
			}
			session := seen.Sessions[len(seen.Sessions)-1]
			if len(session.DER)+len(session.Ticket) > sessionLimit {
				continue
			}
			record.Sessions = append(record.Sessions, recordedTicket{way.Name, address.Address, e.name, time.Now(), session})
		}
	}
}
