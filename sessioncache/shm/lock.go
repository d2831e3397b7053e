package shm

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// The lock of a set keeps writers from choosing the same space. It is never needed
// for correctness: two writers that overlap all the same spoil entries, and a
// spoilt entry does not authenticate. So nobody waits long for anybody: a handshake
// that is held up costs more than a session that is not stored.
const (
	lockSpins    = 100                   // about what a writer needs
	lockPause    = 20 * time.Microsecond // then let it run, it may want this very core
	lockPatience = 500 * time.Microsecond
)

// writer is a process that writes to a mapping.
type writer struct {
	layout
	pid      uint64
	ticket   atomic.Uint32
	patience time.Duration // with the holder of a lock
	pause    func()        // between two looks at it
}

// token is what this process puts into a lock: its pid and a number that no other
// writer of it uses at the time.
func (w *writer) token() uint64 { return w.pid<<32 | uint64(w.ticket.Add(1)) }

// lock takes the lock of a set and returns what it put there. It steals the lock of a dead
// process at once, and when patience has run out that of one which has not got on (it is
// stopped, or starved of CPU): then it was robbed. Where others came and went all the
// time there is no lock: the token is 0.
func (w *writer) lock(set int) (token uint64, robbed bool) {
	at := set + setLock
	token = w.token()
	for range lockSpins {
		if w.load(at) == 0 && w.cas(at, 0, token) {
			return token, false
		}
	}
	begun := time.Now()
	seen, since := w.load(at), begun
	for {
		held, now := w.load(at), time.Now()
		if held != seen {
			seen, since = held, now
		}
		switch {
		case held == 0 || !alive(held>>32):
			if w.cas(at, held, token) {
				return token, false
			}
		case now.Sub(begun) >= w.patience:
			if now.Sub(since) < w.patience/2 {
				return 0, false
			}
			if w.cas(at, held, token) {
				return token, true
			}
			return 0, false
		}
		w.pause()
	}
}

// nap sleeps without the Go scheduler: that would hand this thread's place to another
// one, and get it back later than the sleep takes.
func nap() {
	t := syscall.NsecToTimespec(int64(lockPause))
	syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}

// holds reports whether the lock was not stolen.
func (w *writer) holds(set int, token uint64) bool {
	return w.load(set+setLock) == token
}

// unlock gives the lock back, unless it was stolen.
func (w *writer) unlock(set int, token uint64) {
	if w.holds(set, token) {
		w.store(set+setPlace, 0)
		w.cas(set+setLock, token, 0)
	}
}
