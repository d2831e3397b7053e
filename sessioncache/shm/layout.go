package shm

import (
	"math/bits"

	"gosess/sessioncache"
)

// The layout after the header, in words: records (records.go), worker slots (workers.go), rows of contexts (contexts.go),
// then sets. A set is a header, descriptors in groups, and data. docs/shm-format.md draws it.
const (
	lineSize = 64 / wordSize

	setHeaderSize = 64 / wordSize
	setLock       = 0
	setClock      = 1
	setGeneration = 2 // in the lower half; in the upper one how many entries were dropped and nobody has buried
	setPlace      = 3 // what the holder of the lock has claimed: a slot from 1, and a place as in a slot word
	setHints      = 4 // what is known of free space: see holder

	// A group is a line of slot words, and a line of what belongs to them. The entry of a key is in one of a few groups.
	keyGroups  = 3
	groupSlots = 64 / wordSize
	groupSize  = 2 * groupSlots
	ofSlot     = groupSlots // from a slot word to its times

	// A slot for so many words of data: plain sessions (133 to 152 bytes of DER, which grows
	// with the session id context) take 177 to 196 bytes with their tag when they are sealed.
	ordinaryUnits = 192 / wordSize
	setGroups     = 19
	setSlots      = setGroups * groupSlots
	setSize       = setHeaderSize + setGroups*groupSize + setSlots*ordinaryUnits // or a little more
)

// A worker slot, in words: whole lines, so that no two processes write to one. There is one for each so many bytes of
// the store, but not more than the most. Counters that this program does not know are those of a later version.
const (
	workerShare = 32 << 10
	workersMost = 64

	workerPID      = 0
	workerStart    = 1
	workerVersions = 2
	workerCounts   = lineSize
	workerBase     = workerCounts + counterRoom
	workerLatency  = workerBase + counterRoom
	workerSize     = workerLatency + sessioncache.OperationCount*latencySize

	counterRoom = 32
	_           = uint(counterRoom - sessioncache.CounterCount) // there is room for all

	latencySum  = sessioncache.HistogramBuckets
	latencySize = latencySum + 1
	_           = uint(-(workerSize % lineSize))
)

// A row, in words: whole lines too.
const (
	rowShare = 16 << 10
	rowsMost = 6400 // 64 workers with 100 contexts each

	rowPID     = 0
	rowOwner   = 1 // the tag in the lower half; above it a bit that says that the row is ready
	rowStart   = 2
	rowLabel   = 3
	rowCounts  = lineSize
	rowSize    = rowCounts + counterRoom
	rowReady   = 1 << 32
	labelWords = rowCounts - rowLabel
)

// A slot word says that there is an entry, and where: 14 bits of length in bytes, 13 bits of start in units, a bit for routes,
// one for what is nobody's, 12 bits of the tag, 23 bits of generation, which differs from one entry of a set to the
// next. Zero is a free slot, generation 0 a dead one: nobody finds its entry any more, and whoever has the lock of the set
// zeroes the data and frees it.
const (
	slotStartBits  = 13
	slotLengthBits = 14
	slotPlaceBits  = slotStartBits + slotLengthBits
	slotRoute      = 1 << slotPlaceBits
	slotNobodys    = 2 << slotPlaceBits
	slotTagBits    = 12
	slotTagAt      = slotPlaceBits + 2
	slotTag        = (1<<slotTagBits - 1) << slotTagAt
	slotKey        = slotRoute | slotNobodys | slotTag // what the slot word says of the key
	slotGeneration = slotTagAt + slotTagBits
	maxSealed      = 1<<slotLengthBits - 1
	generations    = 1<<(64-slotGeneration) - 1 // 1 to that
)

// makePlace makes the part of a slot word that says where the entry lies.
func makePlace(start, length int) uint64 { return uint64(start)<<slotLengthBits | uint64(length) }

// makeSlot makes the slot word of the n-th entry of a set.
func makeSlot(place, tag, n uint64) uint64 {
	return (uint64(uint32(n))%generations+1)<<slotGeneration | shortTag(tag) | place
}

// shortTag is what a slot word says of a tag.
func shortTag(tag uint64) uint64 {
	short := tag << slotTagAt & slotTag
	if tag&routeTag != 0 {
		short |= slotRoute
	}
	return short
}

func placeOf(slot uint64) uint64 { return slot & (1<<slotPlaceBits - 1) }
func isSession(slot uint64) bool { return slot&(slotRoute|slotNobodys) == 0 }
func isLive(slot uint64) bool    { return slot>>slotGeneration != 0 }
func slotLength(slot uint64) int { return int(slot & maxSealed) }
func slotUnits(slot uint64) int  { return unitsOf(slotLength(slot)) }
func slotStart(slot uint64) int  { return int(slot >> slotLengthBits & (1<<slotStartBits - 1)) }
func slotEnd(slot uint64) int    { return slotStart(slot) + slotUnits(slot) }

// An entry's data is so many bytes of its tag and what is sealed.
const tagLength = 4

// unitsOf is how many words of data an entry takes.
func unitsOf(length int) int { return (tagLength + length + wordSize - 1) / wordSize }

// routeTag is the bit of a tag that says that it is that of a route. It does not fit where the bit of the
// lookup key is none of the tag.
const routeTag uint64 = sessioncache.RouteBit << (8 * sessioncache.RouteByte)

// Times are the expiry in the upper half, in the lower one what use there was of the entry, in 3 bits, how long it is to
// live, and the stamp of the last use.
const (
	stampBits    = 20
	stampMask    = 1<<stampBits - 1
	lifeBits     = 9
	useAt        = stampBits + lifeBits
	uses         = 1 << (32 - useAt)
	lifeFraction = 4 // bits

	fresh = 0 // nobody has come back with it
	spent = 1 // somebody has, who will hardly come back with it again
	used  = 2 // somebody has; one more for each time that somebody did after an absence (age.go)
	often = uses - 1
)

func makeTimes(expires uint32, use, life, stamp uint64) uint64 {
	return uint64(expires)<<32 | use<<useAt | life<<stampBits | stamp&stampMask
}
func timesExpires(times uint64) uint32 { return uint32(times >> 32) }
func timesUse(times uint64) uint64     { return times >> useAt & (uses - 1) }
func timesLife(times uint64) uint64    { return times >> stampBits & (1<<lifeBits - 1) }

// lifeOf writes seconds with 4 bits of fraction and 5 of exponent: 6 % less at most.
func lifeOf(seconds uint32) uint64 {
	if seconds < 1<<lifeFraction {
		return uint64(seconds)
	}
	exponent := bits.Len32(seconds) - lifeFraction - 1
	return uint64(exponent+1)<<lifeFraction | uint64(seconds)>>exponent&(1<<lifeFraction-1)
}

// lifeSeconds is the middle of what lifeOf makes the same of.
func lifeSeconds(life uint64) uint32 {
	if life < 2<<lifeFraction {
		return uint32(life)
	}
	exponent := life>>lifeFraction - 1
	return uint32((life&(1<<lifeFraction-1)|1<<lifeFraction)<<exponent + 1<<exponent/2)
}

// timesStored is when an entry was stored, to 3 % of what it was to live.
func timesStored(times uint64) int64 {
	return int64(timesExpires(times)) - int64(lifeSeconds(timesLife(times)))
}

// What is larger lies in the first part of a set's data, so that all large entries
// together take no more than that from the others.
const (
	largeUnits = 2 << 10 / wordSize
	largePart  = 4
)
