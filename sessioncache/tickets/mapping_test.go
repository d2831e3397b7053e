package tickets_test

import (
	"encoding/binary"
	"hash/crc32"

	"gosess/sessioncache/shm"
)

// newMapping is an empty store, on the heap.
func newMapping() []byte {
	mapping := make([]byte, shm.MinSize)
	le := binary.LittleEndian
	copy(mapping, shm.Magic)
	le.PutUint32(mapping[shm.VersionAt:], shm.Version)
	le.PutUint32(mapping[shm.SizeAt:], shm.HeaderSize)
	le.PutUint64(mapping[shm.TotalAt:], shm.MinSize)
	le.PutUint32(mapping[shm.SumAt:], crc32.ChecksumIEEE(mapping[:shm.SumAt]))
	return mapping
}
