package monitor

import (
	"math"
	"time"

	"gosess/sessioncache"
)

// series is a line of a plot: a value for each time between two samples, NaN where there is none.
type series struct {
	name   string
	values []float64
}

// delta is what happened between two samples.
type delta struct {
	counters sessioncache.Counters
	latency  [sessioncache.OperationCount]sessioncache.Histogram
	seconds  float64
	fill     float64 // at its end
}

func between(a, b *sample) (d delta) {
	for c := range d.counters {
		d.counters[c] = b.counters[c] - min(a.counters[c], b.counters[c])
	}
	for o := range d.latency {
		for i := range d.latency[o].Buckets {
			d.latency[o].Buckets[i] = b.latency[o].Buckets[i] - min(a.latency[o].Buckets[i], b.latency[o].Buckets[i])
		}
	}
	d.seconds = max(b.at.Sub(a.at).Seconds(), 0.001)
	d.fill = b.fill
	return d
}

// points is into how many parts an hour is cut for a plot.
const points = 60

// deltas are the last hour in parts of a minute; fewer where less is known.
func (w *watched) deltas() (all []delta, since time.Time) {
	const step = (kept - 1) / points
	n := len(w.history)
	if n == 0 {
		return nil, time.Now()
	}
	first := (n - 1) % step
	for i := first + step; i < n; i += step {
		all = append(all, between(&w.history[i-step], &w.history[i]))
	}
	return all, w.history[first].at
}

// total is all that happened in the samples that are kept.
func (w *watched) total() delta {
	if n := len(w.history); n > 1 {
		return between(&w.history[0], &w.history[n-1])
	}
	return delta{}
}

// ratio is a part in percent, NaN of nothing.
func ratio(part, rest uint64) float64 {
	if part+rest == 0 {
		return math.NaN()
	}
	return 100 * float64(part) / float64(part+rest)
}

// each makes a series of the deltas.
func each(name string, all []delta, value func(*delta) float64) series {
	s := series{name: name}
	for i := range all {
		s.values = append(s.values, value(&all[i]))
	}
	return s
}

// rate is a counter per second.
func rate(c sessioncache.Counter) func(*delta) float64 {
	return func(d *delta) float64 { return float64(d.counters[c]) / d.seconds }
}

// micros is a quantile of an operation in microseconds, NaN where none was timed.
func micros(o sessioncache.Operation, part float64) func(*delta) float64 {
	return func(d *delta) float64 {
		if d.latency[o].Count() == 0 {
			return math.NaN()
		}
		return float64(d.latency[o].Quantile(part)) / 1e3
	}
}

// evictionAge is in seconds, NaN where nothing made way.
func evictionAge(d *delta) float64 {
	if d.counters[sessioncache.Evictions] == 0 {
		return math.NaN()
	}
	return float64(d.counters[sessioncache.EvictionAge]) / float64(d.counters[sessioncache.Evictions])
}
