package fleet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gosess/tests/fleet/network"
	"gosess/tests/harness"
)

// What a far store costs is measured with the counts of make fleet on a machine that does nothing else. Else these tests look that what
// is measured happens. The far store is not behind a wire here: that would be in the figures.

// near starts machines whose far store is a host like any other.
func near(t *testing.T, k kind, count int) *machines {
	t.Helper()
	f := &machines{t: t, kind: k, redis: startRedis(t, network.New(t))}
	f.far = f.redis.URL()
	f.start(count)
	return f
}

// ran is the processor time of processes.
func ran(t *testing.T, pids ...int) (sum time.Duration) {
	t.Helper()
	for _, pid := range pids {
		paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(paths) == 0 {
			t.Errorf("process %d: %v", pid, err)
		}
		for _, path := range paths {
			var ns int64
			text, _ := os.ReadFile(path) // of a thread that has ended meanwhile there is none
			_, _ = fmt.Sscan(string(text), &ns)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// TestFarHit has a thread ask the agent, and beside that Redis through hiredis, for what the near store does not have.
func TestFarHit(t *testing.T) {
	t.Parallel()
	f := near(t, nginx, 2)
	b := f.all[1]
	f.visit(f.all[0], "1.2", 500)
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(strings.Join(f.sessionKeys(), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	program := workshop.Compile(t, "farhit", "cc", "-O2", "-Wall", "-Wextra", "-Werror", "tests/fleet/programs/farhit.c", "shim/base/io.c", "-lhiredis", "-lcrypto")
	asks := count(200, 200, 20000)
	line := append(slices.Clone(b.host.Through()), program, b.store, file, f.redis.Host.Address(), strconv.Itoa(f.redis.Port), strconv.Itoa(asks),
		strconv.Itoa(b.agent.PID()))
	f.wait("questions that nearly all are answered in time", func() bool {
		agent, redis := ran(t, b.agent.PID()), ran(t, f.redis.Process().Pid)
		said, problems, err := harness.Execute(nil, line[0], line[1:]...)
		if err != nil || !hasFound(said, "hiredis", asks) || !hasFound(said, "in vain", 0) {
			t.Fatalf("%v: %s%s", err, said, problems)
		}
		each := func(was time.Duration, pid int) time.Duration { return (ran(t, pid) - was) / time.Duration(asks) }
		t.Logf("%scpu for one question: agent %v, redis with both %v", said, each(agent, b.agent.PID()), each(redis, f.redis.Process().Pid))
		return hasFound(said, "agent", asks*9/10)
	})
}

// hasFound says whether a line of farhit's says that so much was found: exactly nothing, or that much at least.
func hasFound(said, who string, least int) bool {
	_, rest, ok := strings.Cut(said, who+": ")
	var found int
	_, err := fmt.Sscan(rest, &found)
	return ok && err == nil && (least == 0 && found == 0 || least > 0 && found >= least)
}

// TestFarHitOfServers compares httpd with gosess, whose far store is Redis, with httpd and its own cache in Redis.
func TestFarHitOfServers(t *testing.T) {
	t.Parallel()
	own := near(t, kinds[2], 0)
	own.kind, own.alone = httpdWithRedis(own.redis), true
	own.add()
	own.add()
	ours := near(t, kinds[2], 2)
	rounds, sessions := count(1, 1, 10), count(50, 50, 2000)
	var ratios []float64
	for range rounds {
		with, without := ours.cost(sessions), own.cost(sessions)
		ratios = append(ratios, float64(with)/float64(without))
		t.Logf("a far hit: %v with gosess, %v with httpd's own cache in Redis", with/time.Duration(sessions), without/time.Duration(sessions))
	}
	slices.Sort(ratios)
	t.Logf("median of the ratios: %.2f", ratios[len(ratios)/2])
}

// cost is the processor time that the second machine and the far store need for sessions of the first one.
func (f *machines) cost(sessions int) (took time.Duration) {
	f.t.Helper()
	b := f.all[1]
	pids := []int{f.redis.Process().Pid}
	if !f.alone {
		pids = append(pids, b.agent.PID())
	}
	for _, p := range b.server.Workers() {
		pids = append(pids, p.PID)
	}
	f.wait("sessions that nearly all come in time", func() bool {
		file := f.visit(f.all[0], "1.2", sessions)
		before := ran(f.t, pids...)
		r := f.offer(b, "1.2", file, sessions)
		took = ran(f.t, pids...) - before
		if r.Errors != 0 {
			f.t.Errorf("%d errors: %s", r.Errors, r.Said)
		}
		return r.Resumed >= sessions*9/10
	})
	return took
}

// TestIdleAgent looks what an agent needs that nobody asks.
func TestIdleAgent(t *testing.T) {
	t.Parallel()
	f := near(t, nginx, 1)
	a := f.all[0]
	f.visit(a, "1.2", 100)
	pid := a.agent.PID()
	began, before := time.Now(), ran(t, pid)
	time.Sleep(time.Duration(count(1, 1, 60)) * time.Second)
	took := ran(t, pid) - before
	agent := harness.FindProcess(pid)
	t.Logf("an idle agent: %.3f %% of a core, %d threads, %d kB resident, of which %d are its own", 100*float64(took)/float64(time.Since(began)),
		agent.Threads(), agent.Memory("VmRSS")>>10, agent.Memory("RssAnon")>>10)
	if agent.Memory("RssAnon") == 0 {
		t.Error("there is no agent")
	}
}
