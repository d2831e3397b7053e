package window

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"gosess/sessioncache"
)

func TestHeader(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		name   string
		change func(mapping []byte) []byte
		want   error
	}{
		{"as it is made", func(m []byte) []byte { return m }, nil},
		{"empty", func(m []byte) []byte { return m[:0] }, ErrNotOurs},
		{"short", func(m []byte) []byte { return m[:HeaderSize-1] }, ErrNotOurs},
		{"another magic", func(m []byte) []byte { m[0]++; return m }, ErrNotOurs},
		{"another version", func(m []byte) []byte { m[VersionAt]++; return m }, ErrVersion},
		{"another store without its sum", func(m []byte) []byte { m[StoreAt]++; return m }, ErrDamaged},
		{"cut", func(m []byte) []byte { return m[:Size-4096] }, ErrDamaged},
		{"another size", func(m []byte) []byte { le.PutUint64(m[SizeAt:], Size+1); return summed(m) }, ErrDamaged},
		{"another header size", func(m []byte) []byte { le.PutUint32(m[HeaderSizeAt:], 1); return summed(m) }, ErrDamaged},
	} {
		w, err := Open(c.change(newMapping()))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, not %v", c.name, err, c.want)
		}
		if err == nil && w.StoreID() != (sessioncache.StoreID{1, 2, 3}) {
			t.Errorf("%s: of store %v", c.name, w.StoreID())
		}
	}
}

func summed(m []byte) []byte {
	binary.LittleEndian.PutUint32(m[SumAt:], crc32.ChecksumIEEE(m[:SumAt]))
	return m
}
