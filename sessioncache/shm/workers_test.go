package shm

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"gosess/sessioncache"
)

func TestConcurrentStoresStats(t *testing.T) {
	mapping := newMapping(MinSize)
	a, b := openShm(t, mapping), openShm(t, mapping)
	a.Count(sessioncache.Hits)
	b.Count(sessioncache.Hits)
	b.Count(sessioncache.TooBig)
	st := a.stats()
	if st.Total != (sessioncache.Counters{sessioncache.Hits: 2, sessioncache.TooBig: 1}) || st.Size != MinSize || st.Created != 1700000000 {
		t.Errorf("stats: %+v", st)
	}
	a.Versions(sessioncache.Versions{Gosess: 0x010203, ABI: 14, Libssl: 0x30000130})
	if got := a.stats().Workers[0].Versions; got != (sessioncache.Versions{Gosess: 0x010203, ABI: 14, Libssl: 0x30000130}) {
		t.Errorf("versions: %+v", got)
	}
	if len(st.Workers) != 1 || st.Workers[0].PID != os.Getpid() || !st.Workers[0].Live || st.Workers[0].Started == 0 {
		t.Errorf("workers: %+v", st.Workers)
	}
}

// deadPID is the pid of a process that has been.
func deadPID(t testing.TB) uint64 {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return uint64(cmd.Process.Pid)
}

// TestWorkerSlots fills all slots and takes them over.
func TestWorkerSlots(t *testing.T) {
	for size, slots := range map[int]int{MinSize: 32, 2 << 20: 64, 5 << 20: 64} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			m, err := layoutOf(newMapping(size))
			if err != nil {
				t.Fatal(err)
			}
			if m.workers != slots {
				t.Errorf("%d slots", m.workers)
			}
			fillWorkers(t, &m)
		})
	}
}

func fillWorkers(t *testing.T, m *layout) {
	count := func(at int) { m.add(at+workerCounts+int(sessioncache.Hits), 1) }
	live, dead := uint64(os.Getppid()), deadPID(t)
	if alive(0) || !alive(1) || !alive(live) || alive(dead) || alive(1<<31) || alive(1<<32+1) {
		t.Error("alive is wrong")
	}

	claimed := map[int]bool{}
	for i := range m.workers {
		at := m.claimWorker(live+uint64(i)<<40, 1) // pids that nobody has
		if at%lineSize != 0 {
			t.Errorf("a slot at word %d", at)
		}
		claimed[at] = true
		m.store(at+workerPID, live)
		count(at)
	}
	if len(claimed) != m.workers {
		t.Fatalf("%d slots were claimed", len(claimed))
	}
	// All live: one is shared, and nothing is lost.
	me := uint64(os.Getpid())
	count(m.claimWorker(me, 1))
	if total, known := m.readWorkers(); total[sessioncache.Hits] != uint64(m.workers)+1 || len(known) != m.workers {
		t.Errorf("%d hits of %d workers", total[sessioncache.Hits], len(known))
	}
	// A dead one's slot is taken, and its counts stay in the total.
	at := m.workersAt + 5*workerSize
	m.store(at+workerPID, dead)
	m.store(at+workerCounts+int(sessioncache.Hits), 100)
	m.store(at+workerBase-1, 7) // a counter of a later version
	before, _ := m.readWorkers()
	if got := m.claimWorker(me, 42); got != at {
		t.Errorf("slot at word %d, not the dead worker's at %d", got, at)
	}
	if m.load(at+workerBase-1) != 7 || m.load(at+workerLatency-1) != 7 {
		t.Error("a later version's counter is lost, or looks like this worker's")
	}
	count(at)
	total, known := m.readWorkers()
	if total[sessioncache.Hits] != before[sessioncache.Hits]+1 {
		t.Errorf("%d hits, then %d", before[sessioncache.Hits], total[sessioncache.Hits])
	}
	want := sessioncache.Worker{PID: int(me), Started: 42, Live: true, Counters: sessioncache.Counters{sessioncache.Hits: 1}}
	if known[5] != want {
		t.Errorf("worker: %+v", known[5])
	}
	// A predecessor of the same pid, in a container say.
	if got := m.claimWorker(me, 43); got != at {
		t.Errorf("slot at word %d, not the own one at %d", got, at)
	}
	if _, known := m.readWorkers(); known[5].Counters[sessioncache.Hits] != 0 {
		t.Errorf("worker: %+v", known[5])
	}
}
