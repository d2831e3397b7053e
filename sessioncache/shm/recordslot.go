package shm

import "gosess/sessioncache"

// Where the records of a store are, and what the words of a slot say: records.go.
const (
	recordsAt   = HeaderSize / wordSize
	recordShare = 8 << 10 // a slot for each so many bytes of the store
	recordsMost = 640     // twice a day of periods of 5 minutes, and some: package tickets uses half of it

	recordsHead  = 64 / wordSize // the root
	recordKey    = 1             // the lookup key
	recordTimes  = 3             // the expiry in the lower half, when it was added in the upper one
	recordData   = 4
	recordUnits  = sessioncache.MaxSealedRecord / wordSize
	recordTally  = recordData + recordUnits
	recordSize   = recordTally + len(sessioncache.Tally{})
	recordKeyLen = recordTimes - recordKey
)

// A state word: what it is in the upper two bits; of a claim the pid and the time; else the length in
// bytes and the number.
const (
	recordFree     = uint64(0)
	recordClaimed  = uint64(1) << 62
	recordPrepared = uint64(2) << 62
	recordLive     = uint64(3) << 62
	recordKind     = uint64(3) << 62

	claimTimeBits  = 30
	claimTimes     = 1<<claimTimeBits - 1
	claimPIDs      = 1<<32 - 1
	recordLengths  = 1<<30 - 1
	recordSlotBits = 32
)

func recordLength(state uint64) int    { return int(state >> 32 & recordLengths) }
func recordNumber(state uint64) uint32 { return uint32(state) }

// isSound reports whether a state is that of a live record: anything may stand in the mapping.
func isSound(state uint64) bool {
	length := recordLength(state)
	return state&recordKind == recordLive && length > 0 && length <= recordUnits*wordSize
}

// makeRoot says that a slot was published under a number.
func makeRoot(slot int, number uint32) uint64 { return uint64(slot+1)<<recordSlotBits | uint64(number) }

// recordCount is how many records a store of some size has room for.
func recordCount(size int) int { return min(size/recordShare, recordsMost) }

// recordsEnd is where the records of a store end, in words.
func recordsEnd(size int) int {
	return recordsAt + recordsHead + recordCount(size)*recordSize
}

func recordSlot(slot int) int { return recordsAt + recordsHead + slot*recordSize }
func slotOfRecord(at int) int { return (at - recordSlot(0)) / recordSize }
