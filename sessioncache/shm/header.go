package shm

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"gosess/sessioncache"
)

// Errors of [Open] and [OpenReadOnly].
var (
	// ErrNotOurs is returned when a mapping does not begin as a shm store does.
	ErrNotOurs = errors.New("not a gosess store")
	// ErrVersion is returned for a store of another format version.
	ErrVersion = errors.New("gosess store of another format version")
	// ErrDamaged is returned when the header contradicts itself or the mapping.
	ErrDamaged = errors.New("damaged gosess store")
)

// The header is written by the C half, which knows nothing else of the format:
// shim.h has the same, which is compared when capi is compiled.
const (
	Magic      = "gosess\r\n"
	Version    = 7
	HeaderSize = 64

	VersionAt = 8
	SizeAt    = 12
	TotalAt   = 16
	CreatedAt = 24
	IDAt      = 32
	SumAt     = 60
)

// MinSize is the smallest size of a shm store in bytes.
const MinSize = 1 << 20

// readHeader checks the header of a mapping and returns when the store was made, and its id.
func readHeader(mapping []byte) (created int64, id sessioncache.StoreID, err error) {
	if len(mapping) < HeaderSize || string(mapping[:len(Magic)]) != Magic {
		return 0, id, ErrNotOurs
	}
	le := binary.LittleEndian
	if le.Uint32(mapping[VersionAt:]) != Version {
		return 0, id, ErrVersion
	}
	switch {
	case le.Uint32(mapping[SumAt:]) != crc32.ChecksumIEEE(mapping[:SumAt]),
		le.Uint32(mapping[SizeAt:]) != HeaderSize,
		le.Uint64(mapping[TotalAt:]) != uint64(len(mapping)),
		len(mapping) < MinSize:
		return 0, id, ErrDamaged
	}
	return int64(le.Uint64(mapping[CreatedAt:])), sessioncache.StoreID(mapping[IDAt:]), nil
}
