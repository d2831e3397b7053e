package doctor

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"gosess/internal/probe"
)

// byOne makes connections by one at a time.
func byOne(connect Prober) Prober {
	var one sync.Mutex
	return func(ctx context.Context, ask probe.Ask) (probe.Seen, error) {
		one.Lock()
		defer one.Unlock()
		return connect(ctx, ask)
	}
}

// lavish gives many large tickets with each session that it gives at all, two under each name.
func lavish(connect Prober) Prober {
	number := 0
	return func(ctx context.Context, ask probe.Ask) (probe.Seen, error) {
		seen, err := connect(ctx, ask)
		if len(seen.Sessions) == 0 || ask.Kind == probe.ByID {
			return seen, err
		}
		one := seen.Sessions[0]
		seen.Sessions = nil
		for range 16 {
			one.Ticket = make([]byte, 60000)
			copy(one.Ticket, fmt.Sprintf("a name %09d%d", number/2, number))
			number++
			seen.Sessions = append(seen.Sessions, one)
		}
		return seen, err
	}
}

// A service that gives large tickets without an end is examined like any other: neither the memory nor the time that it takes grows
// with what it sends, and the record that is left can be read again.
func TestTicketsWithoutEnd(t *testing.T) {
	f := newFleet(t, 1)
	for n := range addressLimit {
		f.behind(n+1, &machine{hint: time.Hour})
	}
	options := Options{Targets: []string{"www.example.org:443"}, Talk: probe.Talk{Protocol: "http"}, Rate: 1e9}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	report, record, err := examine(t.Context(), byOne(lavish(f.connect)), f.resolve, options)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 20<<20 {
		t.Errorf("%d MiB are held", grown>>20)
	}
	if report.Keys.NameBytes != 16 || len(report.Keys.Keys) < 1000 || report.Keys.Default != "" {
		t.Errorf("%d keys of %d bytes: %q", len(report.Keys.Keys), report.Keys.NameBytes, report.Keys.Default)
	}
	path := filepath.Join(t.TempDir(), "record")
	if err := record.Write(path); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRecord(path, "www.example.org:443"); err != nil {
		t.Error(err)
	}
}

// What a record holds leads to one connection for each way at each address, under the name that is asked for, and a session that is
// none is no failure of the server's.
func TestRecordOfAnything(t *testing.T) {
	f := newFleet(t, 1).behind(1, &machine{hint: time.Hour})
	usual, record := f.examine(t, nil)
	var asked []string
	connect := func(ctx context.Context, ask probe.Ask) (probe.Seen, error) {
		asked = append(asked, ask.Name)
		if ask.Session != nil && string(ask.Session.DER) == "nonsense" {
			return probe.Seen{}, fmt.Errorf("%w: wrong tag", probe.ErrAsk)
		}
		return f.connect(ctx, ask)
	}
	for n := range record.Sessions {
		record.Sessions[n].Session.DER = []byte("nonsense")
	}
	record.Sessions = slices.Repeat(record.Sessions, 1000)
	for _, name := range []string{"other.example.org", "x\r\nX: y"} {
		another := record.Sessions[0]
		another.Name = name
		record.Sessions = slices.Insert(record.Sessions, 0, another)
	}
	options := Options{Targets: []string{"www.example.org:443"}, Talk: probe.Talk{Protocol: "http"}, Rate: 1e9, Before: record}
	report, _, err := examine(t.Context(), byOne(connect), f.resolve, options)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) != 0 || report.Failed != 0 || report.Connections > usual.Connections+3 {
		t.Errorf("%q, %d of %d connections failed, %d without a record", report.codes(), report.Failed, report.Connections, usual.Connections)
	}
	for _, name := range asked {
		if name != "www.example.org" && name != "" && name != nobody {
			t.Errorf("asked for %q", name)
		}
	}
}
