package shm

import (
	"syscall"
	"time"
	"unsafe"
)

// The lock of a set keeps writers from choosing the same space. It is never needed
// for correctness: two writers that overlap all the same spoil entries, and a
// spoilt entry does not authenticate. So nobody waits long for anybody: a handshake
// that is held up costs more than a session that is not stored.
const (
	lockSpins    = 1000                  // about what ten writers need
	lockPause    = 20 * time.Microsecond // then let it run, it may want this very core
	lockPatience = 500 * time.Microsecond
)

// lock takes the lock of a set. It steals that of a dead
// process at once, and when patience has run out that of one which has not got on (it is
// stopped, or starved of CPU): then it was robbed. Not ok: others came and went all the time.
func (w *writer) lock(set int) (h holder, ok bool) {
	h = holder{writer: w, set: set, token: w.token()}
	if h.spin() {
		return h, true
	}
	at := set + setLock
	begun, late := time.Now(), time.Time{}
	seen, since := w.load(at), begun
	for {
		held, now := w.load(at), time.Now()
		if held != seen {
			seen, since = held, now
		}
		dead := held != 0 && !alive(held>>32)
		stuck := held != 0 && now.Sub(begun) >= w.patience && now.Sub(since) >= w.patience/2
		if (held == 0 || dead || stuck) && w.cas(at, held, h.token) {
			h.robbed = stuck && !dead
			h.learn(held != 0)
			return h, true
		}
		// A thread that had no core itself meanwhile learns only now whether the holder gets on.
		if now.Sub(begun) >= w.patience && late.IsZero() {
			late = now
		}
		if !late.IsZero() && now.Sub(late) >= w.patience/2 {
			return h, h.spin()
		}
		w.pause()
	}
}

// spin tries to take a lock that is free, or is so in a moment.
func (h *holder) spin() bool {
	at := h.set + setLock
	for range lockSpins {
		if h.load(at) == 0 && h.cas(at, 0, h.token) {
			h.learn(false)
			return true
		}
	}
	return false
}

// nap sleeps without the Go scheduler: that would hand this thread's place to another
// one, and get it back later than the sleep takes.
func nap() {
	t := syscall.NsecToTimespec(int64(lockPause))
	syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}
