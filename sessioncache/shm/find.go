package sessioncache

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// The layout after the header and the workers, in words. A set is its lock, an
// access clock and a generation; then the descriptors, one array for each part;
// then the data. docs/shm-format.md draws it.
const (
	setsAt        = 16384 / wordSize
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

	// A spent entry counts as this part of a set's slots older than one that was just used: it
	// makes way earlier, unless its client goes on using it.
	spentPart = 2

	// What is larger lies in the first part of a set's data, so that all large entries
	// together take no more than that from the others.
	largeUnits = 2 << 10 / wordSize
	largePart  = 4

	// A reader that meets a writer tries again, but not for ever.
	findAttempts = 4
)

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

// Shm is a store in memory that many processes share. Readers take no lock, and a
// process that dies in the middle of a write costs at most the entry that it wrote.
type Shm struct {
	shmMap
	pid      uint64
	ticket   atomic.Uint32
	patience time.Duration // with the holder of a lock
	pause    func()        // between two looks at it
	worker   int           // position of this process's worker slot
	plans    sync.Pool
}

// shmMap is a mapping and where everything is in it, in words.
type shmMap struct {
	words
	mapping []byte
	created int64
	id      StoreID
	sets    int
	setSize int
	slots   int // descriptors of a set
	units   int // words of data of a set
}

func openMap(mapping []byte) (shmMap, error) {
	created, id, err := readHeader(mapping)
	if err != nil {
		return shmMap{}, err
	}
	w, ok := wordsOf(mapping)
	if !ok {
		return shmMap{}, ErrDamaged
	}
	m := shmMap{words: w, mapping: mapping, created: created, id: id}
	total := len(w.w) - setsAt
	m.sets = max(1, (total+setSize/2)/setSize)
	m.setSize = total / m.sets / setHeaderSize * setHeaderSize
	m.slots = (m.setSize - setHeaderSize) / (descriptorSize + ordinaryUnits)
	m.units = m.setSize - setHeaderSize - m.slots*descriptorSize
	return m, nil
}

// OpenShm opens a shm store for this process: the mapping of the whole store,
// shared and writable, for as long as the Shm is used. Call it after the last fork,
// because the counters are kept by process. A store whose bytes after the header
// are all zero is an empty one.
func OpenShm(mapping []byte) (*Shm, error) {
	m, err := openMap(mapping)
	if err != nil {
		return nil, err
	}
	s := &Shm{shmMap: m, pid: uint64(os.Getpid()), patience: lockPatience, pause: nap}
	// A predecessor of the same pid may have died holding a lock.
	s.ticket.Store(rand.Uint32())
	s.worker = s.claimWorker(s.pid, time.Now().Unix())
	s.plans.New = func() any { return newPlan(s.slots, s.units) }
	return s, nil
}

// Check reports whether the header still is what it was when the store was opened. It is
// never written again: else somebody has overwritten the file.
func (m *shmMap) Check() error {
	_, id, err := readHeader(m.mapping)
	if err == nil && id != m.id {
		return ErrDamaged
	}
	return err
}

// ID is in the header.
func (m *shmMap) ID() StoreID { return m.id }

func (m *shmMap) setOf(key *LookupKey) int {
	// Other bytes than those of the tag, which would else be alike within a set.
	hash := binary.LittleEndian.Uint64(key[8:])
	return setsAt + int(hash%uint64(m.sets))*m.setSize
}

func tagOf(key *LookupKey) uint64 { return binary.LittleEndian.Uint64(key[:]) }

func isRoute(tag uint64) bool { return tag>>63 != 0 }

// home is the slot at which the search for a key begins. Writers take the free slot
// that comes next after it, so most searches end in the same cache line.
func (m *shmMap) home(key *LookupKey) int {
	return int(uint64(binary.LittleEndian.Uint32(key[16:])) * uint64(m.slots) >> 32)
}

// Where the parts of the descriptors begin, and the data.
func (m *shmMap) tags(set int) int  { return set + setHeaderSize }
func (m *shmMap) metas(set int) int { return m.tags(set) + m.slots }
func (m *shmMap) times(set int) int { return m.metas(set) + m.slots }
func (m *shmMap) data(set int) int  { return m.times(set) + m.slots }

// sound reports whether a meta word can be one: anything may stand in the mapping.
func (m *shmMap) sound(meta uint64) bool {
	return metaLength(meta) > 0 && metaStart(meta)+metaUnits(meta) <= m.units
}

// Count adds one to a counter of this process.
func (s *Shm) Count(c Counter) {
	s.add(s.worker+workerCounts+int(c), 1)
}

// Find copies the entry of key to e and makes it the most recently used one of its set,
// or one that was not used for a while if it is spent.
func (s *Shm) Find(key *LookupKey, e *Entry) bool {
	set, tag, home := s.setOf(key), tagOf(key), s.home(key)
	for range findAttempts {
		found, changed := s.search(set, home, s.slots, tag, e)
		if !found && !changed {
			found, changed = s.search(set, 0, home, tag, e)
		}
		if !changed {
			return found
		}
	}
	return false
}

// search looks for a tag in some slots of a set. Changed: look at all of them again.
func (s *Shm) search(set, from, to int, tag uint64, e *Entry) (found, changed bool) {
	tags := s.w[s.tags(set)+from : s.tags(set)+to]
	for i := range tags {
		if atomic.LoadUint64(&tags[i]) != tag {
			continue
		}
		if found, changed = s.fetch(set, from+i, tag, e); found || changed {
			return found, changed
		}
	}
	return false, false
}

// fetch copies the entry of a slot. It is whole if the meta word, which a writer
// clears before it touches anything and sets when everything is there, is the same
// before and after.
func (s *Shm) fetch(set, slot int, tag uint64, e *Entry) (found, changed bool) {
	metaAt, timesAt := s.metas(set)+slot, s.times(set)+slot
	meta := s.load(metaAt)
	if !isLive(meta) || !s.sound(meta) {
		return false, false
	}
	isTag := s.load(s.tags(set)+slot) == tag
	times := s.load(timesAt)
	e.Sealed = s.read(e.Sealed, s.data(set)+metaStart(meta), metaLength(meta))
	if s.load(metaAt) != meta || !isTag {
		return false, true
	}
	e.Expires, e.slot, e.meta = timesExpires(times), metaAt, meta
	stamp := uint32(s.add(set+setClock, 1))
	if e.Spent {
		stamp -= uint32(s.slots / spentPart)
	}
	// Where it fails the entry was just used, or is not the same any more.
	s.cas(timesAt, times, makeTimes(e.Expires, stamp))
	return true, false
}

// Drop removes the entry of e, if it is the same still.
func (s *Shm) Drop(e *Entry) bool {
	set := setsAt + (e.slot-setsAt)/s.setSize*s.setSize
	return s.kill(set, e.slot-s.metas(set), e.meta)
}

// kill makes an entry one that nobody finds any more, and reports whether this call did
// it. It holds no lock; where it can have that at once it zeroes the data too, else the
// next writer of the set will.
func (s *Shm) kill(set, slot int, meta uint64) bool {
	if !s.cas(s.metas(set)+slot, meta, deadMeta(meta)) {
		return false
	}
	token := s.token()
	if s.cas(set+setLock, 0, token) {
		defer s.unlock(set, token)
		s.bury(set, token, slot, 0, 0)
	}
	return true
}
