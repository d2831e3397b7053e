package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"gosess/tests/harness"
)

// sample is one round of load on one server.
type sample struct {
	CPU       float64 // of the server's processes, us per handshake
	P50, P99  float64 // us
	Rate      float64 // handshakes a second
	Attempts  int
	Resumed   int
	Errors    int
	Quantiles [][2]float64
}

func cpuOf(s sample) float64 { return s.CPU }
func p50Of(s sample) float64 { return s.P50 }

// row is one comparison of two servers.
type row struct {
	Name         string // of the work
	Peers        [2]string
	TLS          string
	Clients      int
	Of           func(sample) float64
	Unit         string // of what Of takes
	Limit        float64
	Pairs        []pair[sample]
	Profile      string // a file, where the target was missed and perf is there
	profileTexts [2]string
}

func (r *row) ratio() float64 { return ratio(r.Pairs, r.Of) }

// valid says whether every handshake of every round was resumed.
func (r *row) valid() bool {
	for _, p := range r.Pairs {
		for _, s := range []sample{p.Theirs, p.Ours} {
			if s.Errors != 0 || s.Resumed != s.Attempts {
				return false
			}
		}
	}
	return len(r.Pairs) > 0
}

// work is one comparison to be made while two servers run.
type work struct {
	name    string
	tls     string
	clients int
	limit   float64
}

// group is the comparisons of two servers.
type group struct {
	theirs, ours makePeer
	works        []work
}

const poolSize = 200 // sessions that are resumed in turns

// driver loads one server in one way: with a pool of sessions that lives over all rounds, so
// that there are no full handshakes in them.
type driver struct {
	peer
	work
	pool     string
	attempts int
}

// fill makes the pool and returns the handshakes a second that the server can do.
func (d *driver) fill(dir string, number int) (float64, error) {
	d.pool = filepath.Join(dir, fmt.Sprintf("pool-%d", number))
	arguments := append([]string{"--tls", d.tls, "--sessions", strconv.Itoa(poolSize),
		"--attempts", "0", "--save", d.pool}, d.client...)
	if r, err := harness.Load(d.port, arguments...); err != nil || r.Errors > 0 {
		return 0, fmt.Errorf("%s: the pool: %w %s", d.name(), err, r.Said)
	}
	d.attempts = 400
	if _, err := d.round(); err != nil { // the first is to warm up
		return 0, err
	}
	s, err := d.round()
	return s.Rate, err
}

func (d *driver) name() string { return d.peer.name + ", " + d.work.name }

// arguments are those of the load client for a round.
func (d *driver) arguments() []string {
	return append([]string{"--tls", d.tls, "--threads", strconv.Itoa(d.clients),
		"--attempts", strconv.Itoa(d.attempts), "--load", d.pool, "--save", d.pool,
		"--handshake-only", "--timeout", "120"}, d.client...)
}

func (d *driver) round() (sample, error) {
	processes := d.processes()
	before, err := cpuTime(processes)
	if err != nil {
		return sample{}, err
	}
	r, err := harness.Load(d.port, d.arguments()...)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", d.name(), err)
	}
	after, err := cpuTime(processes)
	return sample{
		CPU: float64((after - before).Nanoseconds()) / 1000 / float64(d.attempts),
		P50: r.P50, P99: r.P99, Rate: float64(d.attempts) / r.Elapsed,
		Attempts: d.attempts, Resumed: r.Resumed, Errors: r.Errors, Quantiles: r.Quantiles,
	}, err
}

// compare runs the rounds of a piece of work: the same number of handshakes in each.
func (b *bench) compare(peers []peer, w work) (*row, error) {
	theirs, ours := &driver{peer: peers[0], work: w}, &driver{peer: peers[1], work: w}
	var rates []float64
	for _, d := range []*driver{theirs, ours} {
		b.pools++
		rate, err := d.fill(b.scratch, b.pools)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	attempts := max(100, int(min(rates[0], rates[1])*b.roundTime.Seconds()))
	theirs.attempts, ours.attempts = attempts, attempts
	r := &row{Name: w.name, Peers: [2]string{theirs.peer.name, ours.peer.name}, TLS: w.tls,
		Clients: w.clients, Of: cpuOf, Unit: "CPU us", Limit: w.limit}
	if w.clients == 1 {
		r.Of, r.Unit = p50Of, "p50 us"
	}
	var err error
	if r.Pairs, err = alternate(b.ctx, b.rounds, b.rowTime, theirs.round, ours.round); err != nil {
		return nil, err
	}
	if r.ratio() > r.Limit {
		for i, d := range []*driver{theirs, ours} {
			r.profileTexts[i] = b.profile(d)
		}
	}
	return r, nil
}

// handshakes runs all groups.
func (b *bench) handshakes(groups []group) error {
	for _, g := range groups {
		err := withPeers([]makePeer{g.theirs, g.ours}, func(peers []peer) error {
			for _, w := range g.works {
				start := time.Now()
				r, err := b.compare(peers, w)
				if err != nil {
					return err
				}
				b.rows = append(b.rows, r)
				b.progress("%-44s %d pairs, ratio %.3f (target %.2f), %.0f s", r.Name, len(r.Pairs),
					r.ratio(), r.Limit, time.Since(start).Seconds())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
