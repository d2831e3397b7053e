// Bench measures gosess against what a user would otherwise run, side by side and in turns:
// Debian's nginx, httpd and HAProxy with their own session caches, and libssl's. It writes
// docs/bench/ anew, or with QUICK=1 build/bench/ from fewer rounds. It asserts nothing: a target that is
// missed is reported as missed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"gosess/tests/harness"
)

// bench is one run: how long it takes, and what it has found.
type bench struct {
	ctx       context.Context
	started   time.Time
	quick     bool
	rounds    int           // pairs of rounds of a row
	roundTime time.Duration // of load on one server
	rowTime   time.Duration // of a row, after which it has no more rounds
	root      string        // of the source tree
	scratch   string
	pools     int

	loadBefore string // the machine's load average: another one's work is in all figures

	rows       []*row
	onePlace   []*processRow
	gaps       map[string][]gapPoint // by how the gap is passed
	missInLoop []float64             // ns
	idle       []float64             // CPU of an idle worker, in percent: without gosess, with
	store      map[string]benchmark
	capacities []capacity
	footprint  footprint
	watching   watching
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	b := &bench{ctx: ctx, started: time.Now(), loadBefore: loadAverage(), quick: os.Getenv("QUICK") != "", rounds: 15, roundTime: time.Second, rowTime: 45 * time.Second}
	if b.quick {
		b.rounds, b.roundTime, b.rowTime = 3, 400*time.Millisecond, 0
	}
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// progress says how far the run is.
func (b *bench) progress(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "%4.0f s  %s\n", time.Since(b.started).Seconds(), fmt.Sprintf(format, arguments...))
}

func (b *bench) run() (err error) {
	if b.root, err = harness.Root(); err != nil {
		return err
	}
	if b.scratch, err = os.MkdirTemp("", "gosess-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.scratch)
	for _, step := range []func() error{
		b.measureHandshakes, b.measureOneProcess, b.measureGaps, b.measureFootprint,
		b.measureCapacities, b.measureStore, b.measureWatching,
	} {
		if b.ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err := step(); err != nil {
			return err
		}
	}
	to := filepath.Join(b.root, "docs/bench")
	if b.quick {
		to = filepath.Join(b.root, "build/bench")
	}
	if err := b.write(to); err != nil {
		return err
	}
	b.progress("written: %s", to)
	return nil
}

// measureHandshakes compares the servers. One client is for the latency: with four it is queueing.
func (b *bench) measureHandshakes() error {
	nginxWorks := []work{
		{"nginx, TLS 1.2", "1.2", 4, 1.02}, {"nginx, TLS 1.3", "1.3", 4, 1.03},
		{"nginx, TLS 1.2, 1 client", "1.2", 1, 1.03}, {"nginx, TLS 1.3, 1 client", "1.3", 1, 1.03},
	}
	certified := func(kind string, limit float64) []work {
		return []work{
			{"nginx, " + kind + " client certificates, TLS 1.2", "1.2", 4, limit},
			{"nginx, " + kind + " client certificates, TLS 1.3", "1.3", 4, 1.03},
		}
	}
	near := func(name string, limit float64) []work {
		return []work{{name + ", TLS 1.2", "1.2", 4, limit}, {name + ", TLS 1.2, 1 client", "1.2", 1, 1.03}}
	}
	tickets := func(name string) []work { return []work{{name + ", tickets, TLS 1.3", "1.3", 4, 1.01}} }
	shared, gosess := nginx("shared:SSL:10m", storeSize), nginx("none", storeSize)
	return b.handshakes([]group{
		{shared, gosess, nginxWorks},
		{withClientCertificate(shared, true), withClientCertificate(gosess, true), certified("RSA-2048", 0.47)},
		{withClientCertificate(shared, false), withClientCertificate(gosess, false), certified("P-256", 0.43)},
		{httpd(true, storeSize), httpd(false, storeSize), near("httpd", 0.97)},
		{haproxy(false, storeSize), haproxy(true, storeSize), near("haproxy", 1.03)},
		{withTickets(gosess, false), withTickets(gosess, true), tickets("nginx")},
		{withTickets(haproxy(true, storeSize), false), withTickets(haproxy(true, storeSize), true), tickets("haproxy")},
	})
}
