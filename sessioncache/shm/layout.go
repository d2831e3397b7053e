package shm

import (
	"encoding/binary"

	"gosess/sessioncache"
)

// The layout after the header, in words: records (records.go), worker slots, then sets. There is a slot for each so many
// bytes of the store, but not more than the most. A set is its lock, an access clock and a
// generation; then the descriptors, one array for each part; then the data.
// docs/shm-format.md draws it.
const (
	workerShare = 32 << 10
	workersMost = 64

	setSize       = 32 << 10 / wordSize // about; a writer looks at all of a set
	setHeaderSize = 64 / wordSize
	setLock       = 0
	setClock      = 1
	setGeneration = 2
	setPlace      = 3 // what the holder of the lock has claimed: a slot from 1, and a place as in a meta word

	descriptorSize = 3 // words: tag, meta, times
	// A slot for each 192 bytes of data: plain sessions (133 to 152 bytes of DER, which grows
	// with the session id context) take 176 to 192 when they are sealed.
	ordinaryUnits = 192 / wordSize
)

// A worker slot, in words. Counters that this program does not know are those of a later version.
const (
	workerPID    = 0
	workerStart  = 1
	workerCounts = 2
	workerBase   = workerCounts + counterRoom
	workerSize   = workerBase + counterRoom

	counterRoom = 32
	_           = uint(counterRoom - sessioncache.CounterCount) // there is room for all
)

// routeTag is the bit of a tag that says that it is that of a route. It does not fit where the bit of the
// lookup key is none of the tag.
const routeTag uint64 = sessioncache.RouteBit << (8 * sessioncache.RouteByte)

// A meta word says where the data of a descriptor lies: 17 bits of length in bytes,
// 16 bits of start in units, 31 bits of generation, which differs from one entry of
// a set to the next. Zero is a free descriptor, generation 0 a dead one: nobody finds its
// entry any more, and whoever has the lock of the set zeroes the data and frees it.
const (
	metaLengthBits = 17
	metaStartBits  = 16
	metaPlaceBits  = metaLengthBits + metaStartBits
	maxSealed      = 1<<metaLengthBits - 1
	generations    = 1<<(64-metaPlaceBits) - 1 // 1 to that
)

// makeMeta makes the meta word of the n-th entry of a set.
func makeMeta(start, length int, n uint64) uint64 {
	generation := n%generations + 1
	return generation<<metaPlaceBits | uint64(start)<<metaLengthBits | uint64(length)
}

func deadMeta(meta uint64) uint64 { return meta & (1<<metaPlaceBits - 1) }
func isLive(meta uint64) bool     { return meta>>metaPlaceBits != 0 }

func metaLength(meta uint64) int { return int(meta & maxSealed) }
func metaUnits(meta uint64) int  { return unitsOf(metaLength(meta)) }
func metaStart(meta uint64) int {
	return int(meta >> metaLengthBits & (1<<metaStartBits - 1))
}

func unitsOf(length int) int { return (length + wordSize - 1) / wordSize }

// Times are the expiry in the upper half and the stamp of the last use in the lower.
func makeTimes(expires, stamp uint32) uint64 { return uint64(expires)<<32 | uint64(stamp) }
func timesExpires(times uint64) uint32       { return uint32(times >> 32) }

// layout is a mapping and where everything is in it, in words.
type layout struct {
	words
	mapping   []byte
	created   int64
	id        sessioncache.StoreID
	workersAt int
	workers   int
	setsAt    int
	sets      int
	setSize   int
	slots     int // descriptors of a set
	units     int // words of data of a set
}

func layoutOf(mapping []byte) (layout, error) {
	created, id, err := readHeader(mapping)
	if err != nil {
		return layout{}, err
	}
	w, ok := wordsOf(mapping)
	if !ok {
		return layout{}, ErrDamaged
	}
	m := layout{words: w, mapping: mapping, created: created, id: id}
	m.workers = min(len(mapping)/workerShare, workersMost)
	m.workersAt = recordsEnd(len(mapping))
	end := m.workersAt + m.workers*workerSize
	m.setsAt = (end + setHeaderSize - 1) / setHeaderSize * setHeaderSize
	total := len(w.w) - m.setsAt
	m.sets = max(1, (total+setSize/2)/setSize)
	m.setSize = total / m.sets / setHeaderSize * setHeaderSize
	m.slots = (m.setSize - setHeaderSize) / (descriptorSize + ordinaryUnits)
	m.units = m.setSize - setHeaderSize - m.slots*descriptorSize
	return m, nil
}

func (m *layout) setOf(key *sessioncache.LookupKey) int {
	// Other bytes than those of the tag, which would else be alike within a set.
	hash := binary.LittleEndian.Uint64(key[8:])
	return m.setsAt + int(hash%uint64(m.sets))*m.setSize
}

func tagOf(key *sessioncache.LookupKey) uint64 { return binary.LittleEndian.Uint64(key[:]) }

func isRoute(tag uint64) bool { return tag&routeTag != 0 }

// home is the slot at which the search for a key begins. Writers take the free slot
// that comes next after it, so most searches end in the same cache line.
func (m *layout) home(key *sessioncache.LookupKey) int {
	return int(uint64(binary.LittleEndian.Uint32(key[:])) * uint64(m.slots) >> 32)
}

// Where the parts of the descriptors begin, and the data.
func (m *layout) tags(set int) int  { return set + setHeaderSize }
func (m *layout) metas(set int) int { return m.tags(set) + m.slots }
func (m *layout) times(set int) int { return m.metas(set) + m.slots }
func (m *layout) data(set int) int  { return m.times(set) + m.slots }

// sound reports whether a meta word can be one: anything may stand in the mapping.
func (m *layout) sound(meta uint64) bool {
	return metaLength(meta) > 0 && metaStart(meta)+metaUnits(meta) <= m.units
}
