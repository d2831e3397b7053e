package shm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/window"
)

// newFleetMapping is an empty store of a fleet.
func newFleetMapping() []byte {
	mapping := newMapping(MinSize + window.Size)
	binary.LittleEndian.PutUint32(mapping[KindAt:], KindFleet)
	sumHeader(mapping)
	return mapping
}

// A store of a fleet is that of the same size, and a window behind it, which nothing of the store touches.
func TestFleetStore(t *testing.T) {
	alone, mapping := openShm(t, newMapping(MinSize)), newFleetMapping()
	s := openShm(t, mapping)
	if alone.Window() != nil || s.Window() == nil {
		t.Fatal("the wrong one has a window")
	}
	if s.ID() != sessioncache.FleetID || alone.ID() == sessioncache.FleetID {
		t.Error("the ids are not what they should be")
	}
	if reader, err := OpenReadOnly(mapping); err != nil || reader.ID() != s.ID() {
		t.Errorf("who only looks sees another id, %v", err)
	}
	if s.sets != alone.sets || s.units != alone.units || s.RecordRoom() != alone.RecordRoom() {
		t.Errorf("%d sets of %d units, not %d of %d", s.sets, s.units, alone.sets, alone.units)
	}
	for n := range 10 * s.sets * setSlots {
		if err := s.Put(ctx, setKey(n), bytes.Repeat([]byte{0xff}, 150), 1<<32-1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if behind := mapping[MinSize:]; !bytes.Equal(behind, make([]byte, len(behind))) {
		t.Error("the store has written into the window")
	}
	before := bytes.Clone(mapping[:MinSize])
	w := s.Window()
	w.OpenGate()
	w.Renew(time.Second)
	for n := range 2 * window.News {
		w.Tell(window.Item{Kind: window.Stored, Key: *setKey(n)})
	}
	if !bytes.Equal(before, mapping[:MinSize]) {
		t.Error("the window has written into the store")
	}
}

func TestFleetHeader(t *testing.T) {
	for name, change := range map[string]func(mapping []byte) []byte{
		"of an unknown kind":   func(m []byte) []byte { m[KindAt] = 2; return m },
		"too small for itself": func(m []byte) []byte { return m[:MinSize] },
		"of half words":        func(m []byte) []byte { return m[:len(m)-4] },
	} {
		mapping := change(newFleetMapping())
		binary.LittleEndian.PutUint64(mapping[TotalAt:], uint64(len(mapping)))
		sumHeader(mapping)
		if _, err := Open(mapping); !errors.Is(err, ErrDamaged) {
			t.Errorf("a store %s: %v", name, err)
		}
	}
}

func TestServe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	write := func(content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Serve(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	write(nil)
	if _, err := Serve(path); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty file: %v", err)
	}
	write(newMapping(MinSize))
	if _, err := Serve(path); !errors.Is(err, ErrAlone) {
		t.Errorf("a store of no fleet: %v", err)
	}
	write(newFleetMapping())
	s, err := Serve(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(path); !errors.Is(err, ErrServed) {
		t.Errorf("a second agent: %v", err)
	}
	if !s.IsStill() {
		t.Error("the file is another one at once")
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	write(newFleetMapping())
	if s.IsStill() {
		t.Error("a new file is taken for the old one")
	}
	s.Close()
	next, err := Serve(path + ".old")
	if err != nil {
		t.Fatal(err)
	}
	next.Close()
}
