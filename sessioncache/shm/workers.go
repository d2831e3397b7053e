package shm

import (
	"time"

	"gosess/sessioncache"
)

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
				m.store(at+workerVersions, 0)
				return at
			}
		}
	}
	return m.workersAt + int(pid%uint64(m.workers))*workerSize
}

func versionsOf(word uint64) sessioncache.Versions {
	return sessioncache.Versions{Gosess: uint32(word & 0xffffff), ABI: uint32(word >> 24 & 0xff), Libssl: uint32(word >> 32)}
}

// readLatency adds up what all workers have noted, those before them too.
func (m *layout) readLatency() (all [sessioncache.OperationCount]sessioncache.Histogram) {
	for i := range m.workers {
		for o := range all {
			at := m.workersAt + i*workerSize + workerLatency + o*latencySize
			for b := range all[o].Buckets {
				all[o].Buckets[b] += m.load(at + b)
			}
			all[o].Sum += time.Duration(m.load(at + latencySum))
		}
	}
	return all
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
				Versions: versionsOf(m.load(at + workerVersions)),
				Counters: own,
			})
		}
	}
	return total, known
}
