package sessioncache

import (
	"errors"
	"math"
	"syscall"
)

// A worker slot holds the counters of one process. It is never zeroed: whoever
// takes over the slot of a dead worker remembers where the counters stood, so the
// totals are the sum of all slots, exact whoever dies when. Positions in words.
const (
	workersAt    = 4096 / wordSize
	workerSlots  = 64
	workerSize   = 192 / wordSize
	workerPID    = 0
	workerStart  = 1
	workerCounts = 2
	workerBase   = workerCounts + int(counterCount)
)

// alive reports whether a process is there. One of another pid namespace looks
// dead; what is done about a dead one is harmless to a live one.
func alive(pid uint64) bool {
	if pid == 0 || pid > math.MaxInt32 {
		return false
	}
	return !errors.Is(syscall.Kill(int(pid), 0), syscall.ESRCH)
}

// claimWorker finds this process a slot and returns its position: one that it has
// already or that a predecessor of the same pid had, an unused one, a dead
// worker's. Where 64 workers live it shares one: additions are atomic, so just the
// numbers of single workers blur.
func (m *words) claimWorker(pid uint64, now int64) int {
	takeable := []func(holder uint64) bool{
		func(holder uint64) bool { return holder == pid },
		func(holder uint64) bool { return holder == 0 },
		func(holder uint64) bool { return !alive(holder) },
	}
	for _, take := range takeable {
		for i := range workerSlots {
			at := workersAt + i*workerSize
			if holder := m.load(at + workerPID); take(holder) && m.cas(at+workerPID, holder, pid) {
				for c := range int(counterCount) {
					m.store(at+workerBase+c, m.load(at+workerCounts+c))
				}
				m.store(at+workerStart, uint64(now))
				return at
			}
		}
	}
	return workersAt + int(pid%workerSlots)*workerSize
}

// workers reads all slots.
func (m *words) workers() (total Counters, known []Worker) {
	var sum [counterCount]uint64
	for i := range workerSlots {
		at := workersAt + i*workerSize
		var own [counterCount]uint64
		for c := range own {
			count := m.load(at + workerCounts + c)
			sum[c] += count
			own[c] = count - m.load(at+workerBase+c)
		}
		if pid := m.load(at + workerPID); pid != 0 {
			known = append(known, Worker{
				PID:      int(pid),
				Started:  int64(m.load(at + workerStart)),
				Live:     alive(pid),
				Counters: countersOf(own),
			})
		}
	}
	return countersOf(sum), known
}
