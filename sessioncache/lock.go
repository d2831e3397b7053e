package sessioncache

import "time"

// The lock of a set keeps writers from choosing the same space. It is never needed
// for correctness: two writers that overlap all the same spoil entries, and a
// spoilt entry does not authenticate. So nobody waits long for anybody.
const (
	lockSpins    = 1000                  // some times what a writer needs
	lockPause    = 20 * time.Microsecond // then let it run, it may want this very core
	lockPatience = 10 * time.Millisecond // a live holder that is stopped or starved
)

// lock takes the lock of a set and returns what it put there: this process and a
// number that no other writer of it uses at the time.
func (s *Shm) lock(set int) (token uint64) {
	at := set + setLock
	token = s.pid<<32 | uint64(s.ticket.Add(1))
	var seen uint64
	var since time.Time
	for n := 0; ; n++ {
		held := s.load(at)
		if held == 0 {
			if s.cas(at, 0, token) {
				return token
			}
			continue
		}
		if n < lockSpins {
			continue
		}
		if held != seen {
			seen, since = held, time.Now()
		}
		if !alive(held>>32) || time.Since(since) > s.patience {
			if s.cas(at, held, token) {
				return token
			}
			continue
		}
		time.Sleep(lockPause)
	}
}

// holds reports whether the lock was not stolen.
func (s *Shm) holds(set int, token uint64) bool {
	return s.load(set+setLock) == token
}

// unlock gives the lock back, unless it was stolen.
func (s *Shm) unlock(set int, token uint64) {
	s.cas(set+setLock, token, 0)
}
