package main

import (
	"time"

	"gosess/tests/harness"
)

// footprint is what gosess adds to a worker of nginx.
type footprint struct {
	load            []float64 // ms, of each process
	without, with   memory    // the mean of the workers, after traffic
	threads, before int       // of a worker with gosess: after traffic, and before
}

const idleTime = 5 * time.Second

// measureFootprint looks at the workers of nginx without and with gosess, before and after traffic, and then
// lets them rest.
func (b *bench) measureFootprint() error {
	return withPeers([]makePeer{nginx("shared:SSL:10m", storeSize), nginx("none", storeSize)}, func(peers []peer) error {
		f := &b.footprint
		for i, p := range peers {
			before := threadsOf(p)
			for _, tls := range []string{"1.2", "1.3"} {
				if _, err := harness.Load(p.port, "--tls", tls, "--sessions", "500", "--attempts", "2000"); err != nil {
					return err
				}
			}
			mean, err := meanMemory(p.server.Workers())
			if err != nil {
				return err
			}
			if i == 0 {
				f.without = mean
			} else {
				f.with, f.before, f.threads = mean, before, threadsOf(p)
			}
		}
		b.progress("a worker: %+.1f MB resident, %+.1f MB private, %d threads", f.resident(), f.private(), f.threads)
		for _, p := range peers {
			idle, err := idleCPU(p.server.Workers())
			if err != nil {
				return err
			}
			b.idle = append(b.idle, idle)
		}
		b.progress("an idle worker: %.3f %% CPU", b.idle[1])
		return nil
	})
}

func (f footprint) resident() float64 { return (f.with.resident - f.without.resident) / 1024 }
func (f footprint) private() float64  { return (f.with.private - f.without.private) / 1024 }

// threadsOf is the number of threads of the worker with most.
func threadsOf(p peer) int {
	most := 0
	for _, worker := range p.server.Workers() {
		most = max(most, worker.Threads())
	}
	return most
}

func meanMemory(workers []harness.Process) (memory, error) {
	var mean memory
	for _, worker := range workers {
		m, err := memoryOf(worker)
		if err != nil {
			return mean, err
		}
		n := float64(len(workers))
		mean.resident += m.resident / n
		mean.private += m.private / n
		mean.proportional += m.proportional / n
	}
	return mean, nil
}

// idleCPU is the share of a processor that the busiest worker takes while nothing happens, in percent.
func idleCPU(workers []harness.Process) (float64, error) {
	before := make([]time.Duration, len(workers))
	for i, worker := range workers {
		var err error
		if before[i], err = cpuTime([]harness.Process{worker}); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	time.Sleep(idleTime)
	elapsed := time.Since(start)
	most := 0.0
	for i, worker := range workers {
		after, err := cpuTime([]harness.Process{worker})
		if err != nil {
			return 0, err
		}
		most = max(most, 100*float64(after-before[i])/float64(elapsed))
	}
	return most, nil
}
