package shm

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"gosess/sessioncache"
	"gosess/sessioncache/window"
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
	Version    = 10
	HeaderSize = 64

	VersionAt = 8
	SizeAt    = 12
	TotalAt   = 16
	CreatedAt = 24
	IDAt      = 32
	KindAt    = 48
	SumAt     = 60
)

// What a store is. One of a fleet ends with a window, and its entries are bound to the fleet.
const (
	KindAlone = 0
	KindFleet = 1
)

// MinSize is the smallest size of a shm store in bytes, without its window.
const MinSize = 1 << 20

// header is what the header of a store says.
type header struct {
	created int64
	id      sessioncache.StoreID
	fleet   bool
}

// readHeader checks the header of a mapping.
func readHeader(mapping []byte) (h header, err error) {
	if len(mapping) < HeaderSize || string(mapping[:len(Magic)]) != Magic {
		return h, ErrNotOurs
	}
	le := binary.LittleEndian
	if le.Uint32(mapping[VersionAt:]) != Version {
		return h, ErrVersion
	}
	h = header{int64(le.Uint64(mapping[CreatedAt:])), sessioncache.StoreID(mapping[IDAt:]), le.Uint32(mapping[KindAt:]) == KindFleet}
	switch {
	case le.Uint32(mapping[SumAt:]) != crc32.ChecksumIEEE(mapping[:SumAt]),
		le.Uint32(mapping[SizeAt:]) != HeaderSize,
		le.Uint64(mapping[TotalAt:]) != uint64(len(mapping)),
		le.Uint32(mapping[KindAt:]) > KindFleet,
		h.own(mapping) < MinSize || h.own(mapping)%wordSize != 0:
		return h, ErrDamaged
	}
	return h, nil
}

// own is how many bytes of the mapping are the store, without the window behind it.
func (h *header) own(mapping []byte) int {
	if h.fleet {
		return len(mapping) - window.Size
	}
	return len(mapping)
}
