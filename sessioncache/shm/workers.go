package shm

import "gosess/sessioncache"

// A worker slot holds the counters of one process. It is never zeroed: whoever
// takes over the slot of a dead worker remembers where the counters stood, so the
// totals are the sum of all slots, exact whoever dies when.

// claimWorker finds this process a slot and returns its position: one that it has
// already or that a predecessor of the same pid had, an unused one, a dead
// worker's. Where a worker lives for each slot it shares one: additions are atomic, so just the
// numbers of single workers blur.
func (m *layout) claimWorker(pid uint64, now int64) int {
	takeable := []func(holder uint64) bool{
		func(holder uint64) bool { return holder == pid },
		func(holder uint64) bool { return holder == 0 },
		func(holder uint64) bool { return !alive(holder) },
	}
	for _, take := range takeable {
		for i := range m.workers {
			at := m.workersAt + i*workerSize
			if holder := m.load(at + workerPID); take(holder) && m.cas(at+workerPID, holder, pid) {
				for c := range counterRoom {
					m.store(at+workerBase+c, m.load(at+workerCounts+c))
				}
				m.store(at+workerStart, uint64(now))
				return at
			}
		}
	}
	return m.workersAt + int(pid%uint64(m.workers))*workerSize
}

// readWorkers reads all slots.
func (m *layout) readWorkers() (total sessioncache.Counters, known []sessioncache.Worker) {
	for i := range m.workers {
		at := m.workersAt + i*workerSize
		var own sessioncache.Counters
		for c := range own {
			count := m.load(at + workerCounts + c)
			total[c] += count
			own[c] = count - m.load(at+workerBase+c)
		}
		if pid := m.load(at + workerPID); pid != 0 {
			known = append(known, sessioncache.Worker{
				PID:      int(pid),
				Started:  int64(m.load(at + workerStart)),
				Live:     alive(pid),
				Counters: own,
			})
		}
	}
	return total, known
}
