// Package teststore makes what a server makes that is started with GOSESS_CACHE=shm:PATH?fleet, for tests.
package teststore

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"testing"

	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

// Size is that of the smallest store of a fleet.
const Size = shm.MinSize + window.Size

// Make makes an empty one.
func Make(t testing.TB, path string) {
	t.Helper()
	MakeSized(t, path, Size)
}

// MakeSized makes one of another size, with its window.
func MakeSized(t testing.TB, path string, size int) {
	t.Helper()
	header := make([]byte, shm.HeaderSize)
	le := binary.LittleEndian
	copy(header, shm.Magic)
	le.PutUint32(header[shm.VersionAt:], shm.Version)
	le.PutUint32(header[shm.SizeAt:], shm.HeaderSize)
	le.PutUint64(header[shm.TotalAt:], uint64(size))
	le.PutUint32(header[shm.KindAt:], shm.KindFleet)
	le.PutUint32(header[shm.SumAt:], crc32.ChecksumIEEE(header[:shm.SumAt]))
	// Whole at once, for who waits for it.
	if err := os.WriteFile(path+".new", append(header, make([]byte, size-len(header))...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
