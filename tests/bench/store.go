package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// benchmark is what go test -bench prints of one: the medians over its repetitions, by unit.
type benchmark map[string]float64

// measureStore runs the benchmarks of the store, which need no server.
func (b *bench) measureStore() error {
	all := map[string]benchmark{}
	for _, run := range []struct {
		pattern string
		repeat  int
	}{
		{"^BenchmarkGet$/^64MiB$", 5},
		{"^BenchmarkPut$/^64MiB$/^133B$", 5},
		{"^BenchmarkEntries$|^BenchmarkZipf$", 1},
		{"^BenchmarkUsedOnce$|^BenchmarkReplaced$|^BenchmarkWorstPut$|^BenchmarkTogether$", 1},
	} {
		if b.quick {
			run.repeat = 1
		}
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", run.pattern, "-benchtime", "0.5s",
			"-count", strconv.Itoa(run.repeat), "./sessioncache/shm")
		cmd.Dir = b.root
		said, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", cmd, err, said)
		}
		for name, values := range parseBenchmarks(string(said)) {
			all[name] = values
		}
	}
	b.store = all
	for _, name := range []string{getName, putName, zipfName} {
		if len(all[name]) == 0 {
			return fmt.Errorf("there is no %s", name)
		}
		b.progress("%s: %v", name, all[name])
	}
	return nil
}

var processors = regexp.MustCompile(`-\d+$`) // GOMAXPROCS, which go test puts behind the name

func parseBenchmarks(said string) map[string]benchmark {
	repeated := map[string]map[string][]float64{}
	for line := range strings.Lines(said) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		if repeated[name] == nil {
			repeated[name] = map[string][]float64{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				repeated[name][fields[i+1]] = append(repeated[name][fields[i+1]], value)
			}
		}
	}
	all := map[string]benchmark{}
	for name, units := range repeated {
		all[name] = benchmark{}
		for unit, values := range units {
			all[name][unit] = median(values)
		}
	}
	return all
}

// Names of benchmarks in sessioncache/shm.
const (
	getName  = "Get/64MiB"
	putName  = "Put/64MiB/133B"
	zipfName = "Zipf"
)

// fills are the numbers of entries of BenchmarkEntries.
var fills = []int{1e3, 1e4, 1e5, 1e6, 1e7}

func entriesName(what string, entries int) string { return fmt.Sprintf("Entries/%d/%s", entries, what) }
