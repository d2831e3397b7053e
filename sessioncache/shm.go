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
	setSize       = 128 << 10 / wordSize // about
	setHeaderSize = 64 / wordSize
	setLock       = 0
	setClock      = 1
	setGeneration = 2

	descriptorSize = 3 // words: tag, meta, times
	// A slot for each 176 bytes of data: plain TLS 1.2 sessions (133 bytes of DER)
	// fill slots and data alike, larger ones leave slots over.
	ordinaryUnits = 176 / wordSize

	// A reader that meets a writer tries again, but not for ever.
	findAttempts = 4
)

// A meta word says where the data of a descriptor lies: 17 bits of length in bytes,
// 16 bits of start in units, 31 bits of generation, which differs from one entry of
// a set to the next. Zero is a free descriptor.
const (
	metaLengthBits = 17
	metaStartBits  = 16
	maxSealed      = 1<<metaLengthBits - 1
)

func makeMeta(start, length int, generation uint64) uint64 {
	return generation<<(metaLengthBits+metaStartBits) | uint64(start)<<metaLengthBits | uint64(length)
}

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
	worker   int           // position of this process's worker slot
	plans    sync.Pool
}

// shmMap is a mapping and where everything is in it, in words.
type shmMap struct {
	words
	created int64
	sets    int
	setSize int
	slots   int // descriptors of a set
	units   int // words of data of a set
}

func openMap(mapping []byte) (shmMap, error) {
	created, err := readHeader(mapping)
	if err != nil {
		return shmMap{}, err
	}
	w, ok := wordsOf(mapping)
	if !ok {
		return shmMap{}, ErrDamaged
	}
	m := shmMap{words: w, created: created}
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
	s := &Shm{shmMap: m, pid: uint64(os.Getpid()), patience: lockPatience}
	// A predecessor of the same pid may have died holding a lock.
	s.ticket.Store(rand.Uint32())
	s.worker = s.claimWorker(s.pid, time.Now().Unix())
	s.plans.New = func() any { return newPlan(s.slots, s.units) }
	return s, nil
}

func (m *shmMap) setOf(key *LookupKey) int {
	// Other bytes than those of the tag, which would else be alike within a set.
	hash := binary.LittleEndian.Uint64(key[8:])
	return setsAt + int(hash%uint64(m.sets))*m.setSize
}

func tagOf(key *LookupKey) uint64 { return binary.LittleEndian.Uint64(key[:]) }

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

// Find copies the entry of key to e and makes it the most recently used one of its
// set.
func (s *Shm) Find(key *LookupKey, e *Entry) bool {
	set, tag := s.setOf(key), tagOf(key)
	for range findAttempts {
		again := false
		tags := s.w[s.tags(set):s.metas(set)]
		for slot := range tags {
			if atomic.LoadUint64(&tags[slot]) != tag {
				continue
			}
			found, changed := s.fetch(set, slot, tag, e)
			if found {
				return true
			}
			again = again || changed
		}
		if !again {
			return false
		}
	}
	return false
}

// fetch copies the entry of a slot. It is whole if the meta word, which a writer
// clears before it touches anything and sets when everything is there, is the same
// before and after.
func (s *Shm) fetch(set, slot int, tag uint64, e *Entry) (found, changed bool) {
	metaAt, timesAt := s.metas(set)+slot, s.times(set)+slot
	meta := s.load(metaAt)
	if meta == 0 || !s.sound(meta) {
		return false, false
	}
	isTag := s.load(s.tags(set)+slot) == tag
	times := s.load(timesAt)
	e.Sealed = s.read(e.Sealed, s.data(set)+metaStart(meta), metaLength(meta))
	if s.load(metaAt) != meta || !isTag {
		return false, true
	}
	e.Expires, e.slot, e.meta = timesExpires(times), metaAt, meta
	// Where it fails the entry was just used, or is not the same any more.
	s.cas(timesAt, times, makeTimes(e.Expires, uint32(s.add(set+setClock, 1))))
	return true, false
}

// Drop frees the descriptor of e, if it is the same still. Writers work out the
// free space from the descriptors, so that is all there is to it.
func (s *Shm) Drop(e *Entry) bool {
	return s.cas(e.slot, e.meta, 0)
}

// Put stores sealed under key, in place of what is there. What has expired makes way
// first, then what was not used for longest.
func (s *Shm) Put(key *LookupKey, sealed []byte, expires, now uint32) error {
	need := unitsOf(len(sealed))
	if len(sealed) > maxSealed || need > s.units {
		return ErrTooBig
	}
	set, tag := s.setOf(key), tagOf(key)
	p := s.plans.Get().(*plan)
	token := s.lock(set)
	slot, start := s.makeRoom(p, set, tag, need, now)

	// Nobody looks at the data before the meta word says that it is there.
	s.write(s.data(set)+start, sealed)
	s.store(s.tags(set)+slot, tag)
	s.store(s.times(set)+slot, makeTimes(expires, uint32(s.add(set+setClock, 1))))
	meta := makeMeta(start, len(sealed), s.add(set+setGeneration, 1))
	// Whoever stole the lock may have given the same space away.
	stored := s.holds(set, token) && s.cas(s.metas(set)+slot, 0, meta)

	s.unlock(set, token)
	s.plans.Put(p)
	if !stored {
		return ErrInterrupted
	}
	return nil
}

// makeRoom returns a free slot and the start of need free units.
func (s *Shm) makeRoom(p *plan, set int, tag uint64, need int, now uint32) (slot, start int) {
	slot = s.survey(p, set, tag, need, now)
	if p.gap < 0 {
		first, last := p.window(need)
		s.evict(p, set, first, last)
		return int(p.live[first].slot), int(p.live[first-1].end)
	}
	if slot < 0 {
		s.evict(p, set, p.oldest, p.oldest)
		slot = int(p.live[p.oldest].slot)
	}
	return slot, p.gap
}

// evict drops neighbours, from first to last.
func (s *Shm) evict(p *plan, set, first, last int) {
	for _, e := range p.live[first : last+1] {
		s.drop(s.metas(set)+int(e.slot), p.noted[e.slot].meta, Evictions)
	}
}

// survey looks at every descriptor of a set. It drops what the new entry replaces,
// what has expired, and what cannot be an entry, and sorts the rest in p. It returns
// a free slot, -1 where there is none.
func (s *Shm) survey(p *plan, set int, tag uint64, need int, now uint32) (free int) {
	free = -1
	p.reset()
	tags, metas, times := s.tags(set), s.metas(set), s.times(set)
	for slot := range s.slots {
		meta := s.load(metas + slot)
		if meta != 0 {
			t := s.load(times + slot)
			switch {
			case s.load(tags+slot) == tag:
				s.cas(metas+slot, meta, 0)
			case timesExpires(t) < now:
				s.drop(metas+slot, meta, Expiries)
			case !s.sound(meta) || !p.add(slot, meta, uint32(t)):
				s.drop(metas+slot, meta, Errors)
			default:
				continue
			}
		}
		if free < 0 { // the first, which is where readers begin
			free = slot
		}
	}
	// The clock is read last, so that no stamp is newer.
	overlapping := p.sort(uint32(s.load(set+setClock)), need)
	// Overlaps are what is left when a lock was stolen from a live writer.
	for _, slot := range overlapping {
		s.drop(metas+slot, p.noted[slot].meta, Errors)
		free = slot
	}
	return free
}

// drop frees a descriptor and counts it as c, unless somebody else was first.
func (s *Shm) drop(metaAt int, meta uint64, c Counter) {
	if s.cas(metaAt, meta, 0) {
		s.Count(c)
	}
}
