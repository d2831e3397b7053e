package fleet_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"gosess/capi/settings"
	"gosess/internal/inspect"
	"gosess/tests/harness"
)

// changeKeys runs a command for a key file at a machine.
func (f *machines) changeKeys(m *machine, command, file string) {
	f.t.Helper()
	program, err := harness.Built("gosess")
	if err != nil {
		f.t.Fatal(err)
	}
	if _, stderr, err := harness.Execute(nil, program, "keys", command, file, "shm:"+m.store); err != nil {
		f.t.Fatalf("gosess keys %s: %v, %s", command, err, stderr)
	}
}

func keysIn(t *testing.T, file string) [][]byte {
	t.Helper()
	keys, err := settings.ReadKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// knows waits until the servers of a machine have heard of the keys of one file, and has another one updated with these.
func (f *machines) knows(m *machine, keys [][]byte, file string) {
	f.t.Helper()
	store, err := inspect.ByURL("shm:"+m.store, inspect.ToRead)
	if err != nil {
		f.t.Fatal(err)
	}
	defer store.Close()
	old := keysIn(f.t, file)
	same := func(a [][]byte) bool { return slices.EqualFunc(a, keys, bytes.Equal) }
	f.wait("news of keys", func() bool {
		known, err := store.RenewedKeys(old)
		return err == nil && same(known)
	})
	if f.changeKeys(m, "update", file); !same(keysIn(f.t, file)) {
		f.t.Errorf("the file of another machine has other keys: %x, not %x", keysIn(f.t, file), keys)
	}
}

// has wants each session of a file resumed at a machine in the end: what came late, on a busy machine, is near then.
func (f *machines) has(m *machine, version, file string, sessions int) {
	f.t.Helper()
	f.wait("sessions of the other machine", func() bool {
		r := f.load(m, "--tls", version, "--load", file, "--attempts", strconv.Itoa(sessions))
		if r.Errors != 0 {
			f.t.Fatalf("TLS %s: %d errors: %s", version, r.Errors, r.Said)
		}
		return r.Resumed == sessions
	})
}

// TestKeysOfFleet changes the sealing keys on one machine, under load and without a reload: another one opens what it is to open and no more.
func TestKeysOfFleet(t *testing.T) {
	t.Parallel()
	const sessions = 50
	f := newMachines(t, nginx, 2)
	a, b := f.all[0], f.all[1]
	key, err := os.ReadFile(f.keys)
	if err != nil {
		t.Fatal(err)
	}
	ofB := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(ofB, key, 0o600); err != nil {
		t.Fatal(err)
	}
	versions := []string{"1.2", "1.3"}
	visit := func() (files [2]string) {
		for i, version := range versions {
			files[i] = f.visit(a, version, sessions)
		}
		return files
	}
	f.under(b, func() {
		old := visit()
		f.changeKeys(a, "rotate", f.keys)
		f.knows(b, keysIn(t, f.keys), ofB)
		between := visit() // a minute later it would be under the new key
		for i, version := range versions {
			f.has(b, version, old[i], sessions)
			f.has(b, version, between[i], sessions)
		}
		f.changeKeys(a, "drop", f.keys)
		f.knows(b, keysIn(t, f.keys), ofB)
		made := visit()
		for i, version := range versions {
			f.has(b, version, made[i], sessions)
			for _, m := range f.all {
				if r := f.load(m, "--tls", version, "--load", old[i], "--attempts", "50"); r.Resumed != 0 || r.Errors != 0 {
					t.Errorf("TLS %s: %d of the old key are accepted, %d errors", version, r.Resumed, r.Errors)
				}
			}
		}
	})
}
