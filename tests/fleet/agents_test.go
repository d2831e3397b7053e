package fleet_test

import (
	"encoding/binary"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache/window"
	"gosess/tests/harness"
)

// used is how many slots of a machine's window are not free.
func (m *machine) used(t *testing.T) (n int) {
	t.Helper()
	const states = 8 // of a slot's word
	m.see(t, func(_ *window.Window, bytes []byte) {
		for slot := range window.Slots {
			if binary.NativeEndian.Uint32(bytes[window.SlotsAt+slot*window.SlotSize:])%states != window.Free {
				n++
			}
		}
	})
	return n
}

// freed wants all slots free again, whoever has died; it logs how long that took.
func (f *machines) freed() {
	f.t.Helper()
	began := time.Now()
	for _, m := range f.all {
		f.wait("free slots", func() bool { return m.used(f.t) == 0 })
	}
	if took := time.Since(began); took > 100*time.Millisecond {
		f.t.Logf("all slots are free after %v", took.Round(time.Millisecond))
	}
}

// TestAgentIsKilled kills the agents at any moment while clients come, some of whom have sessions of the other machine.
func TestAgentIsKilled(t *testing.T) {
	t.Parallel()
	f := newMachines(t, nginx, 2)
	a, b := f.all[0], f.all[1]
	var back []time.Duration
	kills := count(20, 100, 1000)
	f.under(a, func() {
		for i := range kills {
			m := f.all[i%2]
			if i%10 == 0 {
				f.offer(b, "1.2", f.save(a, "1.2", 10), 10)
			}
			m.agent.Kill()
			killed := time.Now()
			f.serve(m)
			f.wait("servers to ask", func() bool { return m.asks(t) })
			back = append(back, time.Since(killed))
			time.Sleep(time.Duration(i%20) * 5 * time.Millisecond)
		}
	})
	slices.Sort(back)
	t.Logf("%d kills: %d waits in vain; servers asked again after %v, at most %v", kills, f.late(), back[kills/2].Round(time.Millisecond),
		back[kills-1].Round(time.Millisecond))
	f.freed()
	f.resumes(b, "1.2", f.visit(a, "1.2", 50), 50)
}

// TestAgentIsStopped: few wait for one that does nothing, and none when its lease is over.
func TestAgentIsStopped(t *testing.T) {
	t.Parallel()
	f := newMachines(t, nginx, 2)
	a, b := f.all[0], f.all[1]
	file := f.visit(a, "1.2", 40)
	waits := b.count(t, window.CountTimeouts)
	if err := syscall.Kill(b.agent.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	f.wait("servers not to wait any longer", func() bool {
		if r := f.offer(b, "1.2", file, 40); r.Errors != 0 {
			t.Errorf("%d errors: %s", r.Errors, r.Said)
		}
		return !b.asks(t)
	})
	waited := b.count(t, window.CountTimeouts) - waits
	if workers := b.server.(*harness.Nginx).WorkerCount; waited > uint64(window.MaxStrikes+workers-1) {
		t.Errorf("%d handshakes waited in vain", waited)
	}
	if err := syscall.Kill(b.agent.PID(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	f.wait("servers to ask", func() bool { return b.asks(t) })
	t.Logf("%d waits in vain, asked again after %v", waited, time.Since(began).Round(time.Millisecond))
	f.freed()
	f.resumes(b, "1.2", file, 40)
}

// TestWorkersAreKilled kills workers while they wait for the agent: what they held there becomes free.
func TestWorkersAreKilled(t *testing.T) {
	t.Parallel()
	f := newMachines(t, nginx, 2)
	a, b := f.all[0], f.all[1]
	f.redis.Host.Wire.Away(20 * time.Millisecond) // so that there are waits to be killed in
	for killed, kills := 0, count(3, 5, 100); killed < kills; {
		if f.killWaiting(a, b) {
			killed++
		}
	}
	f.freed()
	if freed := b.count(t, window.CountReclaimed); freed == 0 {
		t.Error("the agent freed no slots")
	}
	f.redis.Host.Wire.Away(0)
	f.wait("a session of the other machine", func() bool { return f.offer(b, "1.2", f.visit(a, "1.2", 10), 10).Resumed == 10 })
}

// killWaiting kills the workers of b as soon as one of them has a slot, and reports whether it had it still.
func (f *machines) killWaiting(a, b *machine) (waited bool) {
	f.t.Helper()
	const sessions = 20
	file, server := f.visit(a, "1.2", sessions), b.server.(*harness.Nginx)
	f.freed()
	workers := server.Workers()
	ended := make(chan error, 1)
	go func() { // what fails are the connections that the workers had
		_, err := harness.LoadAt(b.address, "--tls", "1.2", "--threads", "2", "--load", file, "--attempts", strconv.Itoa(sessions))
		ended <- err
	}()
	for end := time.Now().Add(harness.Patience); len(ended) == 0 && b.used(f.t) == 0 && time.Now().Before(end); {
		time.Sleep(100 * time.Microsecond)
	}
	for _, worker := range workers {
		if err := worker.Kill(syscall.SIGKILL); err != nil {
			f.t.Error(err)
		}
	}
	if err := server.WaitServing(workers...); err != nil {
		f.t.Fatal(err)
	}
	waited = b.used(f.t) > 0
	if err := <-ended; err != nil {
		f.t.Error(err)
	}
	return waited
}
