package sessioncache

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
	"time"
)

// sealer seals for one process.
//
// A machine, or a process, that is restored from a snapshot counts from where it was then, and
// so would two that are restored from one. Nothing tells a process of that but the clocks, which do not
// go on together: the time of day is set right after a while, and the time since the start is not. So
// where they have moved against each other the sealer begins a new run, with another prefix and key.
type sealer struct {
	key    *derivation
	clocks func() (wall, monotonic int64) // nanoseconds
	run    atomic.Pointer[run]
}

// run is what the entries share that are sealed between two jumps of the clocks.
type run struct {
	aead    cipher.AEAD
	prefix  prefix
	apart   int64 // what the clocks showed when it began, one less the other
	counter atomic.Uint64
}

// jump is by how much the clocks may move against each other, in nanoseconds: daemons slew both,
// and a leap second is one.
const jump = 2e9

func newSealer(k *derivation) (*sealer, error) {
	started := time.Now()
	s := &sealer{key: k, clocks: func() (wall, monotonic int64) {
		now := time.Now()
		return now.UnixNano(), int64(now.Sub(started))
	}}
	var p prefix
	rand.Read(p[:])
	wall, monotonic := s.clocks()
	first, err := s.newRun(p, wall-monotonic)
	if err != nil {
		return nil, err
	}
	s.run.Store(first)
	return s, nil
}

// under makes a sealer for another key. It asks the kernel for nothing, as nextPrefix.
func (s *sealer) under(k *derivation) (*sealer, error) {
	now := s.run.Load()
	wall, monotonic := s.clocks()
	other := &sealer{key: k, clocks: s.clocks}
	first, err := other.newRun(other.nextPrefix(now, wall, monotonic), now.apart)
	if err != nil {
		return nil, err
	}
	other.run.Store(first)
	return other, nil
}

func (s *sealer) newRun(p prefix, apart int64) (*run, error) {
	aead, err := s.key.aead(p)
	if err != nil {
		return nil, err
	}
	s.key.remember(p, aead)
	return &run{aead: aead, prefix: p, apart: apart}, nil
}

// current returns the run that an entry belongs to that is sealed now.
func (s *sealer) current() (*run, error) {
	now := s.run.Load()
	wall, monotonic := s.clocks()
	if moved := wall - monotonic - now.apart; -jump < moved && moved < jump {
		return now, nil
	}
	next, err := s.newRun(s.nextPrefix(now, wall, monotonic), wall-monotonic)
	if err != nil {
		return nil, err
	}
	if !s.run.CompareAndSwap(now, next) {
		return s.run.Load(), nil // another thread has noticed too
	}
	return next, nil
}

// nextPrefix makes a prefix of the one before and of both clocks, which two that are restored from one
// snapshot do not read at the same nanosecond. It asks the kernel for nothing: a server may have forbidden
// itself the call by now, and crypto/rand would end the process.
func (s *sealer) nextPrefix(before *run, wall, monotonic int64) prefix {
	mac := hmac.New(sha256.New, s.key.secret)
	text := append([]byte("gosess v5 prefix "), before.prefix[:]...)
	text = binary.LittleEndian.AppendUint64(text, before.counter.Load())
	text = binary.LittleEndian.AppendUint64(text, uint64(wall))
	text = binary.LittleEndian.AppendUint64(text, uint64(monotonic))
	mac.Write(text)
	return prefix(mac.Sum(nil))
}
