package shm

import (
	"time"

	"gosess/sessioncache"
)

// A worker slot, in words: whole lines, so that no two processes write to one. There is one for each so many bytes of
// the store, but not more than the most. Counters that this program does not know are those of a later version.
const (
	workerShare = 32 << 10
	workersMost = 64

	workerPID      = 0
	workerStart    = 1
	workerVersions = 2
	workerCounts   = lineSize
	workerBase     = workerCounts + counterRoom
	workerLatency  = workerBase + counterRoom
	workerSize     = workerLatency + sessioncache.OperationCount*latencySize

	counterRoom = 32
	_           = uint(counterRoom - sessioncache.CounterCount) // there is room for all

	latencySum  = sessioncache.HistogramBuckets
	latencySize = latencySum + 1
	_           = uint(-(workerSize % lineSize))
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

// Versions has other processes know what this one runs.
func (s *Store) Versions(v sessioncache.Versions) {
	s.store(s.worker+workerVersions, uint64(v.Libssl)<<32|uint64(v.ABI&0xff)<<24|uint64(v.Gosess&0xffffff))
}

func versionsOf(word uint64) sessioncache.Versions {
	return sessioncache.Versions{Gosess: uint32(word & 0xffffff), ABI: uint32(word >> 24 & 0xff), Libssl: uint32(word >> 32)}
}

// Time notes how long an operation took.
func (s *Store) Time(o sessioncache.Operation, d time.Duration) {
	at := s.worker + workerLatency + int(o)*latencySize
	s.add(at+sessioncache.BucketOf(d), 1)
	s.add(at+latencySum, uint64(d))
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
