package shm

import (
	"encoding/binary"
	"math/bits"

	"gosess/sessioncache"
	"gosess/sessioncache/window"
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
	used  = 2 // somebody has; one more for each time that somebody did after a turn of the set (age.go)
	often = 6
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

// layout is a mapping and where everything is in it, in words.
type layout struct {
	words
	header
	mapping   []byte // with the window
	workersAt int
	workers   int
	rowsAt    int
	rows      int
	setsAt    int
	sets      int
	setSize   int
	units     int // words of data of a set
}

func layoutOf(mapping []byte) (layout, error) {
	h, err := readHeader(mapping)
	if err != nil {
		return layout{}, err
	}
	own := h.own(mapping)
	w, ok := wordsOf(mapping[:own])
	if !ok {
		return layout{}, ErrDamaged
	}
	m := layout{words: w, header: h, mapping: mapping}
	p := PlacesOf(own)
	m.workers, m.workersAt = p.Workers, p.WorkersAt/wordSize
	m.rows, m.rowsAt = p.Rows, p.RowsAt/wordSize
	m.sets, m.setsAt, m.setSize = p.Sets, p.SetsAt/wordSize, p.SetSize/wordSize
	m.units = m.setSize - setHeaderSize - setGroups*groupSize
	return m, nil
}

// Places are where everything is in a store, in bytes, and how many of each.
type Places struct {
	RecordsAt, RecordsEnd, RecordSize int // the first one, after the root
	Workers, WorkersAt, WorkerSize    int
	Rows, RowsAt, RowSize             int
	Sets, SetsAt, SetSize             int
}

// PlacesOf are those of a store of some size, without the window.
func PlacesOf(size int) Places {
	p := Places{
		Workers: min(size/workerShare, workersMost), WorkerSize: workerSize,
		Rows: min(size/rowShare, rowsMost), RowSize: rowSize,
		RecordsAt: recordSlot(0), RecordsEnd: recordsEnd(size), RecordSize: recordSize,
	}
	p.WorkersAt = (p.RecordsEnd + lineSize - 1) / lineSize * lineSize
	p.RowsAt = p.WorkersAt + p.Workers*workerSize
	p.SetsAt = p.RowsAt + p.Rows*rowSize
	total := size/wordSize - p.SetsAt
	p.Sets = total / setSize
	p.SetSize = total / p.Sets / setHeaderSize * setHeaderSize
	for _, words := range []*int{&p.RecordsAt, &p.RecordsEnd, &p.RecordSize, &p.WorkersAt, &p.WorkerSize, &p.RowsAt, &p.RowSize, &p.SetsAt, &p.SetSize} {
		*words *= wordSize
	}
	return p
}

// window is the end of the store of a fleet, nil for others.
func (m *layout) window() *window.Window {
	if !m.fleet {
		return nil
	}
	return window.Open(m.mapping[m.own(m.mapping):])
}

// spot is where the entry of a key may be.
type spot struct {
	tag    uint64
	set    int
	groups [keyGroups]int // positions, in the order in which they are looked at
}

func (m *layout) spotOf(key *sessioncache.LookupKey) spot {
	le := binary.LittleEndian
	// Other bytes than those of the tag, which would else be alike within a set.
	set, rest := bits.Mul64(le.Uint64(key[8:]), uint64(m.sets))
	group, rest := bits.Mul64(rest, uint64(setGroups))
	step, _ := bits.Mul64(rest, uint64(setGroups-1))
	p := spot{tag: le.Uint64(key[:]), set: m.setsAt + int(set)*m.setSize}
	for i := range p.groups {
		p.groups[i] = p.set + setHeaderSize + int(group)*groupSize
		// The number of groups is a prime, so no two are the same.
		if group += step + 1; group >= uint64(setGroups) {
			group -= uint64(setGroups)
		}
	}
	return p
}

// fetchLines has the header of the set and the groups fetched from memory all at the same time, where what comes then
// would wait for one after the other.
func (m *layout) fetchLines(p *spot, toWrite bool) {
	m.load(p.set)
	for _, group := range p.groups {
		m.load(group)
		if toWrite {
			m.load(group + ofSlot)
		}
	}
}

// setOf is the set that a position is in.
func (m *layout) setOf(at int) int { return m.setsAt + (at-m.setsAt)/m.setSize*m.setSize }

// slot is the position of the n-th slot word of a set.
func (m *layout) slot(set, n int) int {
	return set + setHeaderSize + n/groupSlots*groupSize + n%groupSlots
}

// number is which slot of its set a position is.
func (m *layout) number(set, at int) int {
	n := at - set - setHeaderSize
	return n/groupSize*groupSlots + n%groupSize
}

func (m *layout) data(set int) int { return set + setHeaderSize + setGroups*groupSize }

// sound reports whether a slot word can be one: anything may stand in the mapping.
func (m *layout) sound(slot uint64) bool { return slotLength(slot) > 0 && slotEnd(slot) <= m.units }

// most is how many units, the first ones of a set's data, an entry of that size may lie in.
func (m *layout) most(need int) int {
	if need > largeUnits {
		return m.units / largePart
	}
	return m.units
}
