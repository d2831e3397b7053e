package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"gosess/tests/harness"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5},
	} {
		before := append([]float64{}, test.values...)
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v: %v", test.values, got)
		}
		for i := range before {
			if test.values[i] != before[i] {
				t.Errorf("median has changed %v to %v", before, test.values)
			}
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("there is no median of nothing")
	}
}

// The median of the ratios, not the ratio of the medians: a pair stays a pair.
func TestRatioOfPairs(t *testing.T) {
	same := func(value float64) float64 { return value }
	pairs := []pair[float64]{{1, 2, false}, {10, 10, true}, {100, 50, false}, {8, 8, true}, {3, 3, false}}
	if got := ratio(pairs, same); got != 1 {
		t.Errorf("ratio %v", got)
	}
	drifting := []pair[float64]{{1, 2, false}, {10, 20, true}, {100, 200, false}}
	if got := ratio(drifting, same); got != 2 {
		t.Errorf("ratio %v", got)
	}
	if got := quartiles(pairs, same); got != "1.000 to 1.000" {
		t.Errorf("quartiles %s", got)
	}
	if theirs, ours := medians(drifting, same); theirs != 10 || ours != 20 {
		t.Errorf("medians %v %v", theirs, ours)
	}
}

func TestRoundsAlternate(t *testing.T) {
	var order strings.Builder
	round := func(name string) func() (string, error) {
		return func() (string, error) { order.WriteString(name); return name, nil }
	}
	pairs, err := alternate(t.Context(), 4, time.Hour, round("A"), round("B"))
	if err != nil || order.String() != "ABBAABBA" {
		t.Errorf("%s %v", order.String(), err)
	}
	for i, p := range pairs {
		if p.Theirs != "A" || p.Ours != "B" || p.OursFirst != (i%2 == 1) {
			t.Errorf("%+v", p)
		}
	}
	failing := func() (string, error) { return "", errors.New("no") }
	if _, err := alternate(t.Context(), 3, time.Hour, round("A"), failing); err == nil {
		t.Error("a round that failed was counted")
	}
	if few, err := alternate(t.Context(), 100, 0, round("A"), round("B")); err != nil || len(few) != fewestPairs {
		t.Errorf("%d pairs in no time: %v", len(few), err)
	}
	interrupted, stop := context.WithCancel(t.Context())
	stop()
	if _, err := alternate(interrupted, 3, time.Hour, round("A"), round("B")); err == nil {
		t.Error("it went on")
	}
}

// What the load client prints of its percentiles.
func TestQuantiles(t *testing.T) {
	var r harness.Result
	printed := `{"p50_us":176.4,"p99_us":224.0,"quantiles":[[0.5,176.4],[0.999,301.0]]}`
	if err := json.Unmarshal([]byte(printed), &r); err != nil {
		t.Fatal(err)
	}
	if r.P50 != 176.4 || len(r.Quantiles) != 2 || r.Quantiles[1] != [2]float64{0.999, 301} {
		t.Errorf("%+v", r)
	}
}

func TestParsing(t *testing.T) {
	got := parseBenchmarks(`goos: linux
BenchmarkGet/64MiB-2   	  10	 900.0 ns/op	0 B/op	0 allocs/op
BenchmarkGet/64MiB-2   	  10	 700.5 ns/op	0 B/op	0 allocs/op
BenchmarkGet/64MiB-2   	  10	 800.0 ns/op	0 B/op	2 allocs/op
BenchmarkPut/64MiB/133B	  10	1500 ns/op
BenchmarkZipf-2	       1	99 ns/op	73.38 hit%	73.40 lru%
PASS`)
	if get := got["Get/64MiB"]; get["ns/op"] != 800 || get["allocs/op"] != 0 {
		t.Errorf("%v", got)
	}
	if got["Put/64MiB/133B"]["ns/op"] != 1500 || got["Zipf"]["lru%"] != 73.40 || len(got) != 3 {
		t.Errorf("%v", got)
	}
	points, err := parseGaps("300 1200 2500 3 4\n5000 1800 3000 5 6\n20 9999 1 1 1\n")
	if err != nil || len(points) != 3 || points[1] != (gapPoint{"5000", 1800, 3000, 5, 6}) || after(points, "300").Call != 1200 || !math.IsNaN(after(points, "80").Call) {
		t.Errorf("%v %v", points, err)
	}
	if _, err := parseGaps("not so\n"); err == nil {
		t.Error("nonsense was understood")
	}
	m := parseRollup("00400000-7fff [rollup]\nRss:  7800 kB\nPss:  1500 kB\nPrivate_Clean:  24 kB\nPrivate_Dirty:  1000 kB\nSwap: 3 kB\n")
	if m != (memory{resident: 7800, private: 1024, proportional: 1500}) {
		t.Errorf("%+v", m)
	}
}

// madeUp is a run with figures like those of a real one; each is in the middle of its target.
func madeUp() *bench {
	s := sample{CPU: 100, P50: 170, P99: 230, Attempts: 10, Resumed: 10, Quantiles: [][2]float64{{0.5, 170}, {0.99, 230}, {1, 900}}}
	b := &bench{
		gaps:       map[string][]gapPoint{},
		missInLoop: []float64{1490},
		idle:       []float64{0, 0.05},
		store: map[string]benchmark{getName: {"ns/op": 700, "allocs/op": 0}, putName: {"ns/op": 1200}, zipfName: {"hit%": 75, "lru%": 73},
			"WorstPut/1MiB": {"p99.9-ns": 2000}, "WorstPut/64MiB": {"p99.9-ns": 2900}, "Together": {"unstored": 0}, "UsedOnce/70%": {"hit%": 99}, "Replaced": {"hit%": 83.3}},
		capacities: []capacity{{"nginx + gosess", 4900}},
		footprint:  footprint{load: []float64{4}, with: memory{resident: 9000, private: 2000}, without: memory{resident: 5000, private: 1000}, before: 12, threads: 12},
		watching:   watching{scrape: []float64{9}, idle: 0.05, resident: 18},
	}
	for _, entries := range fills {
		b.store[entriesName("get", entries)] = benchmark{"ns/op": 400}
		b.store[entriesName("put", entries)] = benchmark{"ns/op": 550}
	}
	for _, how := range []string{"spin", "sleep"} {
		b.gaps[how] = []gapPoint{{"0", 300, 1400, 3000, 1600}, {"300", 1200, 2500, 4000, 2000}}
	}
	for _, clients := range []int{4, 1} {
		b.rows = append(b.rows, &row{Name: `nginx & "co" <1.2>`, Peers: [2]string{"a < b", "a & gosess"}, TLS: "1.2", Clients: clients,
			Of: cpuOf, Limit: 1.03, Pairs: []pair[sample]{{s, s, false}}})
	}
	b.onePlace = []*processRow{{Threads: 1, Limit: 1.03, Pairs: []pair[processSample]{{processSample{28, 60}, processSample{28, 60}, false}}}}
	return b
}

// Each figure that is worse than its target is reported so, and no other one.
func TestVerdicts(t *testing.T) {
	for _, target := range madeUp().targets() {
		if !target.Met || target.Verdict() != "met" {
			t.Errorf("%+v", target)
		}
	}
	for name, spoil := range map[string]func(*bench){
		"a ratio":        func(b *bench) { b.rows[0].Pairs[0].Ours.CPU = 104 },
		"not resumed":    func(b *bench) { b.rows[0].Pairs[0].Ours.Resumed = 9 },
		"an error":       func(b *bench) { b.rows[1].Pairs[0].Theirs.Errors = 1 },
		"no rounds":      func(b *bench) { b.rows[0].Pairs = nil },
		"one process":    func(b *bench) { b.onePlace[0].Pairs[0].Ours.Server = 29 },
		"a call into Go": func(b *bench) { b.gaps["spin"][1].Call = 1301 },
		"a miss":         func(b *bench) { b.missInLoop = []float64{1501} },
		"idle":           func(b *bench) { b.idle[1] = 0.2 },
		"get":            func(b *bench) { b.store[entriesName("get", 1e6)]["ns/op"] = 1100 },
		"allocations":    func(b *bench) { b.store[getName]["allocs/op"] = 1 },
		"put":            func(b *bench) { b.store[entriesName("put", 1e3)]["ns/op"] = 601 },
		"slowest put":    func(b *bench) { b.store["WorstPut/64MiB"]["p99.9-ns"] = 3100 },
		"unstored":       func(b *bench) { b.store["Together"]["unstored"] = 1 },
		"not measured":   func(b *bench) { delete(b.store, "Together") },
		"used once":      func(b *bench) { b.store["UsedOnce/70%"]["hit%"] = 97.9 },
		"replaced":       func(b *bench) { b.store["Replaced"]["hit%"] = 82 },
		"no figure":      func(b *bench) { b.store[entriesName("get", 1e7)] = benchmark{"ns/op": math.NaN()} },
		"not flat":       func(b *bench) { b.store[entriesName("get", 1e7)] = benchmark{"ns/op": 1500} },
		"capacity":       func(b *bench) { b.capacities[0].Holds = 4599 },
		"zipf":           func(b *bench) { b.store[zipfName]["hit%"] = 74.49 },
		"load time":      func(b *bench) { b.footprint.load = []float64{6} },
		"resident":       func(b *bench) { b.footprint.with.resident = 12000 },
		"private":        func(b *bench) { b.footprint.with.private = 5000 },
		"late threads":   func(b *bench) { b.footprint.before = 11 },
		"scrape":         func(b *bench) { b.watching.scrape = []float64{21} },
		"serve idle":     func(b *bench) { b.watching.idle = 0.11 },
		"serve memory":   func(b *bench) { b.watching.resident = 26 },
	} {
		b := madeUp()
		spoil(b)
		missed := 0
		for _, target := range b.targets() {
			if !target.Met {
				missed++
			}
		}
		if missed != 1 {
			t.Errorf("%s: %d targets missed", name, missed)
		}
	}
}

// Each plot is XML that ends, in the names' own words, whatever they hold.
func TestPlotsAreXML(t *testing.T) {
	b := madeUp()
	for name, text := range map[string]string{
		"cpu": b.cpuPlot(), "latency": b.latencyPlot(), "fill": b.fillPlot(), "gap": b.gapPlot(),
	} {
		decoder := xml.NewDecoder(strings.NewReader(text))
		elements := 0
		for {
			token, err := decoder.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, text)
			}
			if _, ok := token.(xml.StartElement); ok {
				elements++
			}
		}
		if elements < 10 || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") || !strings.Contains(text, "prefers-color-scheme: dark") {
			t.Errorf("%s: %d elements\n%s", name, elements, text)
		}
	}
}

func TestMarksAreRound(t *testing.T) {
	var texts []string
	for _, m := range (scale{0, 233, 0, 100, false}).marks() {
		texts = append(texts, m.Text)
	}
	if got := strings.Join(texts, " "); got != "0 50 100 150 200" {
		t.Errorf("marks %s", got)
	}
	texts = nil
	for _, m := range (scale{1e3, 1e5, 0, 100, true}).marks() {
		texts = append(texts, m.Text)
	}
	if got := strings.Join(texts, " "); got != "1000 10000 100000" {
		t.Errorf("marks %s", got)
	}
	texts = nil
	for _, m := range (scale{140, 700, 0, 100, true}).marks() {
		texts = append(texts, m.Text)
	}
	if got := strings.Join(texts, " "); got != "200 500" {
		t.Errorf("marks %s", got)
	}
}
