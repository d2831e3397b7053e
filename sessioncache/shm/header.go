package sessioncache

import (
	"encoding/binary"
	"hash/crc32"
)

// The header is written by the C half, which knows nothing else of the format:
// shim.h has the same magic, version and size.
const (
	headerMagic   = "gosess\r\n"
	headerVersion = 3
	headerSize    = 64

	headerVersionAt = 8
	headerSizeAt    = 12
	headerTotalAt   = 16
	headerCreatedAt = 24
	headerIDAt      = 32
	headerSumAt     = 60
)

// MinSize is the smallest size of a shm store in bytes.
const MinSize = 1 << 20

// readHeader checks the header of a mapping and returns when the store was made, and its id.
func readHeader(mapping []byte) (created int64, id StoreID, err error) {
	if len(mapping) < headerSize || string(mapping[:len(headerMagic)]) != headerMagic {
		return 0, id, ErrNotOurs
	}
	le := binary.LittleEndian
	if le.Uint32(mapping[headerVersionAt:]) != headerVersion {
		return 0, id, ErrVersion
	}
	switch {
	case le.Uint32(mapping[headerSumAt:]) != crc32.ChecksumIEEE(mapping[:headerSumAt]),
		le.Uint32(mapping[headerSizeAt:]) != headerSize,
		le.Uint64(mapping[headerTotalAt:]) != uint64(len(mapping)),
		len(mapping) < MinSize:
		return 0, id, ErrDamaged
	}
	return int64(le.Uint64(mapping[headerCreatedAt:])), StoreID(mapping[headerIDAt:]), nil
}
