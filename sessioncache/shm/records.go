package shm

import (
	"cmp"
	"encoding/binary"
	"slices"

	"gosess/sessioncache"
)

// Records lie between the header and the worker slots, where no session comes: a root word, then
// slots. Whoever adds one fills a slot that nobody else has, and the swap of the root publishes it:
// that succeeds only if nothing was published since it was seen that there is none of that key. So
// of all threads that add one at once, one does. None waits for another.
//
// The root is the number of what was published last, and its slot. The state word of a slot goes
// from free to claimed, by a process; to prepared, to be published under a number; to live. What the
// root names is live although its state says prepared: whoever comes by says so.
const (
	recordAttempts = 64 // to publish; others have published as often
	recordLooks    = 8  // at what is being changed
	// A claim that is so old, in seconds, is of a process that was stopped, or whose pid is another's by
	// now. Where there is no other slot it makes way: what a stopped one writes over does not open.
	recordClaimLife = 60
)

// recordArea is the records of a store, for one process.
type recordArea struct {
	words *words
	count int
	pid   uint64
}

// recordsFor are the records of a store for a process, which writes there; 0 for one that only looks.
func (m *layout) recordsFor(pid uint64) recordArea {
	return recordArea{&m.words, recordCount(m.own(m.mapping)), pid}
}

// recordKeyWords is a lookup key as a slot has it.
type recordKeyWords [recordKeyLen]uint64

func recordKeyOf(key *sessioncache.LookupKey) (words recordKeyWords) {
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(key[i*wordSize:])
	}
	return words
}

func (r *recordArea) is(at int, of recordKeyWords) bool {
	for i, word := range of {
		if r.words.load(at+recordKey+i) != word {
			return false
		}
	}
	return true
}

// settle has the slot that the root names say itself that it is live, and returns the root.
func (r *recordArea) settle() (root uint64) {
	root = r.words.load(recordsAt)
	slot := int(root>>recordSlotBits) - 1
	if slot < 0 || slot >= r.count {
		return root
	}
	at := recordSlot(slot)
	if state := r.words.load(at); isNamed(at, state, root) {
		r.words.cas(at, state, recordLive|state&^recordKind)
	}
	return root
}

// isNamed reports whether the root has published a slot that does not say so yet.
func isNamed(at int, state, root uint64) bool {
	return state&recordKind == recordPrepared && makeRoot(slotOfRecord(at), recordNumber(state)) == root
}

// search returns the slot of a live record that has not expired, and its state; 0 where there is none.
func (r *recordArea) search(of recordKeyWords, now uint32) (at int, state uint64) {
	for range recordLooks {
		changed := false
		for slot := range r.count {
			at, state = recordSlot(slot), r.words.load(recordSlot(slot))
			if !isSound(state) || !r.is(at, of) || now > uint32(r.words.load(at+recordTimes)) {
				continue
			}
			if r.words.load(at) == state {
				return at, state
			}
			changed = true
		}
		if !changed {
			break
		}
	}
	return 0, 0
}

// find copies a live record that has not expired to e.
func (r *recordArea) find(key *sessioncache.LookupKey, e *sessioncache.Entry, now uint32) bool {
	e.Handle = sessioncache.Handle{}
	for range recordLooks {
		r.settle()
		at, state := r.search(recordKeyOf(key), now)
		if at == 0 {
			return false
		}
		expires := uint32(r.words.load(at + recordTimes))
		e.Sealed = r.words.read(e.Sealed, at+recordData, recordLength(state))
		if r.words.load(at) == state {
			e.Expires, e.Handle = expires, sessioncache.Handle{uint64(at), state}
			return true
		}
	}
	return false
}

// look is find for a process that may not write: what the root names is live, whatever its state says.
func (r *recordArea) look(key *sessioncache.LookupKey, e *sessioncache.Entry, now uint32) bool {
	of := recordKeyOf(key)
	e.Handle = sessioncache.Handle{}
	for range recordLooks {
		root := r.words.load(recordsAt)
		for slot := range r.count {
			at := recordSlot(slot)
			state := r.words.load(at)
			live := state
			if isNamed(at, state, root) {
				live = recordLive | state&^recordKind
			}
			if !isSound(live) || !r.is(at, of) || now > uint32(r.words.load(at+recordTimes)) {
				continue
			}
			e.Expires = uint32(r.words.load(at + recordTimes))
			e.Sealed = r.words.read(e.Sealed, at+recordData, recordLength(live))
			if after := r.words.load(at); after == state || after == live {
				e.Handle = sessioncache.Handle{uint64(at), live}
				return true
			}
		}
		if r.words.load(recordsAt) == root {
			break
		}
	}
	return false
}

// add publishes a record, unless there is one of that key that has not expired.
func (r *recordArea) add(key *sessioncache.LookupKey, sealed []byte, expires, now uint32) error {
	if len(sealed) == 0 || len(sealed) > recordUnits*wordSize {
		return sessioncache.ErrTooBig
	}
	of := recordKeyOf(key)
	at, state := 0, uint64(0) // the slot that this call has, if any
	defer func() {
		if at != 0 {
			r.giveUp(at, state, now)
		}
	}()
	for range recordAttempts {
		root := r.settle()
		if found, _ := r.search(of, now); found != 0 {
			return sessioncache.ErrExists
		}
		number := uint32(root) + 1
		if at == 0 {
			if at, state = r.claim(root, now); at == 0 {
				return sessioncache.ErrFull
			}
			r.fill(at, of, sealed, expires, now)
		}
		prepared := recordPrepared | uint64(len(sealed))<<32 | uint64(number)
		if !r.words.cas(at, state, prepared) {
			at = 0 // this process was held up for so long that another has the slot
			continue
		}
		state = prepared
		if r.words.cas(recordsAt, root, makeRoot(slotOfRecord(at), number)) {
			at = 0
			r.settle()
			return nil
		}
	}
	return sessioncache.ErrBusy
}

// each calls do for each live record that has not expired.
func (r *recordArea) each(now uint32, do func(key *sessioncache.LookupKey, e *sessioncache.Entry)) {
	r.settle()
	var e sessioncache.Entry
	for slot := range r.count {
		at := recordSlot(slot)
		state := r.words.load(at)
		if !isSound(state) {
			continue
		}
		var key sessioncache.LookupKey
		for i := range recordKeyLen {
			binary.LittleEndian.PutUint64(key[i*wordSize:], r.words.load(at+recordKey+i))
		}
		e.Expires, e.Handle = uint32(r.words.load(at+recordTimes)), sessioncache.Handle{uint64(at), state}
		e.Sealed = r.words.read(e.Sealed, at+recordData, recordLength(state))
		if r.words.load(at) == state && now <= e.Expires {
			do(&key, &e)
		}
	}
}

// secrets is what a store shows of its records to a reader without a key.
func (r *recordArea) secrets() (all []sessioncache.Secret) {
	var begins []byte
	for range recordLooks {
		root := r.words.load(recordsAt)
		all = all[:0]
		for slot := range r.count {
			at := recordSlot(slot)
			state := r.words.load(at)
			if !isNamed(at, state, root) && !isSound(state) {
				continue
			}
			begins = r.words.read(begins, at+recordData, len(sessioncache.Tag{}))
			if sessioncache.OwnerOf(begins) != (sessioncache.Tag{}) {
				continue // it says something of sealing keys
			}
			times := r.words.load(at + recordTimes)
			s := sessioncache.Secret{Made: int64(times >> 32), Ends: int64(uint32(times))}
			for n := range s.Tally {
				s.Tally[n] = r.words.load(at + recordTally + n)
			}
			all = append(all, s)
		}
		if r.words.load(recordsAt) == root {
			break // nothing was published meanwhile
		}
	}
	slices.SortStableFunc(all, func(a, b sessioncache.Secret) int {
		return cmp.Or(cmp.Compare(a.Made, b.Made), cmp.Compare(a.Ends, b.Ends))
	})
	return all
}

func (r *recordArea) fill(at int, of recordKeyWords, sealed []byte, expires, now uint32) {
	r.words.zero(at+1, recordSize-1)
	for i, word := range of {
		r.words.store(at+recordKey+i, word)
	}
	r.words.store(at+recordTimes, uint64(now)<<32|uint64(expires))
	r.words.write(at+recordData, sealed)
}

// claim takes a slot that nobody needs; last one of a process that lives and may go on to write in it.
// The position is 0 where there is none.
func (r *recordArea) claim(root uint64, now uint32) (at int, claimed uint64) {
	claimed = claimWord(r.pid, now)
	for _, takeable := range []func(at int, state uint64) bool{
		func(_ int, state uint64) bool { return state == recordFree },
		func(at int, state uint64) bool { return state == recordFree || r.isLeft(at, state, root, now) },
		func(_ int, state uint64) bool { return state == recordFree || isOldClaim(state, now) },
	} {
		for slot := range r.count {
			at := recordSlot(slot)
			if state := r.words.load(at); takeable(at, state) && r.words.cas(at, state, claimed) {
				return at, claimed
			}
		}
	}
	return 0, 0
}

func claimWord(pid uint64, now uint32) uint64 {
	return recordClaimed | pid&claimPIDs<<claimTimeBits | uint64(now)&claimTimes
}

func isOldClaim(state uint64, now uint32) bool {
	return state&recordKind == recordClaimed && (uint64(now)-state)&claimTimes > recordClaimLife
}

// isLeft reports whether nobody needs what a slot has: it has expired, or whoever was about to publish
// it is no more, or was not the first. What has a number to come, since the root was looked at, may be
// published still.
func (r *recordArea) isLeft(at int, state, root uint64, now uint32) bool {
	switch state & recordKind {
	case recordLive:
		return !isSound(state) || now > uint32(r.words.load(at+recordTimes))
	case recordPrepared:
		return int32(recordNumber(state)-uint32(root)) <= 0 && !isNamed(at, state, root)
	case recordClaimed:
		return !alive(state >> claimTimeBits & claimPIDs)
	}
	return state != recordFree
}

// giveUp frees a slot, unless its state has changed, and leaves nothing in it.
func (r *recordArea) giveUp(at int, state uint64, now uint32) {
	claimed := claimWord(r.pid, now)
	if state == claimed || r.words.cas(at, state, claimed) {
		r.words.zero(at+1, recordSize-1)
		r.words.cas(at, claimed, recordFree)
	}
}

// expire zeroes what has expired, and what writers have left behind that are no more.
func (r *recordArea) expire(now uint32) {
	root := r.settle()
	for slot := range r.count {
		at := recordSlot(slot)
		if state := r.words.load(at); r.isLeft(at, state, root, now) {
			r.giveUp(at, state, now)
		}
	}
}
