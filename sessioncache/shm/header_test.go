package shm

import (
	"errors"
	"syscall"
	"testing"
)

func TestHeader(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m []byte) []byte
		want   error
	}{
		{"good", func(m []byte) []byte { return m }, nil},
		{"empty", func(m []byte) []byte { return nil }, ErrNotOurs},
		{"short", func(m []byte) []byte { return m[:HeaderSize-1] }, ErrNotOurs},
		{"zero", func(m []byte) []byte { clear(m); return m }, ErrNotOurs},
		{"magic", func(m []byte) []byte { m[7]++; sumHeader(m); return m }, ErrNotOurs},
		{"line ends changed", func(m []byte) []byte { m[6], m[7] = '\n', 0; sumHeader(m); return m }, ErrNotOurs},
		{"version", func(m []byte) []byte { m[VersionAt]++; sumHeader(m); return m }, ErrVersion},
		{"version, no sum", func(m []byte) []byte { m[VersionAt]++; return m }, ErrVersion},
		{"created", func(m []byte) []byte { m[CreatedAt]++; return m }, ErrDamaged},
		{"id", func(m []byte) []byte { m[IDAt]++; return m }, ErrDamaged},
		{"sum", func(m []byte) []byte { m[SumAt]++; return m }, ErrDamaged},
		{"header size", func(m []byte) []byte { m[SizeAt]++; sumHeader(m); return m }, ErrDamaged},
		{"total", func(m []byte) []byte { m[TotalAt]++; sumHeader(m); return m }, ErrDamaged},
		{"cut off", func(m []byte) []byte { return m[:MinSize-4096] }, ErrDamaged},
		{"too small", func(m []byte) []byte { m = m[:MinSize/2]; makeHeader(m); return m }, ErrDamaged},
		{"unaligned", func([]byte) []byte {
			m := newMapping(MinSize + 8)[4 : MinSize+4]
			makeHeader(m)
			return m
		}, ErrDamaged},
	} {
		m := test.change(newMapping(MinSize))
		if _, err := Open(m); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, err := OpenReadOnly(m); !errors.Is(err, test.want) {
			t.Errorf("%s, read only: %v", test.name, err)
		}
	}
}

// A store whose header gets another id while it is open is not what it was.
func TestCheckSeesAnotherStore(t *testing.T) {
	mapping := newMapping(MinSize)
	s := openShm(t, mapping)
	if err := s.Check(); err != nil {
		t.Errorf("Check: %v", err)
	}
	mapping[IDAt]++
	sumHeader(mapping)
	if err := s.Check(); err != ErrDamaged {
		t.Errorf("Check: %v", err)
	}
}

// TestReadOnly reads the statistics through a mapping in which a write is a crash.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	mapping := mapShared(t, dir, "store", MinSize)
	makeHeader(mapping)
	s := openShm(t, mapping)
	c := testCache(t, s, nil)
	mustPut(t, c, originA, testID(1), []byte("der"), 1<<32-2)
	mustGet(t, c, originA, testID(1), []byte("der"))
	r, err := OpenReadOnly(mapFile(t, dir, "store", MinSize, syscall.PROT_READ))
	if err != nil {
		t.Fatal(err)
	}
	got, want := r.Stats(), s.stats()
	if got.Total != want.Total || got.Entries != 1 || got.Used != 48 || len(got.Workers) != 1 || got.Workers[0] != want.Workers[0] {
		t.Errorf("from outside %+v, from inside %+v", got, want)
	}
}
