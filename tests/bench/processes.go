package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gosess/tests/harness"
)

// cpuTime is the time that the threads of the processes have run, from the scheduler's own count
// in nanoseconds: /proc/PID/stat counts in ticks of 10 ms.
func cpuTime(processes []harness.Process) (time.Duration, error) {
	var sum time.Duration
	for _, p := range processes {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.PID))
		if err != nil || len(files) == 0 {
			return 0, fmt.Errorf("process %d has no schedstat", p.PID)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return 0, err // a thread that ended took its count along
			}
			ran, _, _ := strings.Cut(string(data), " ")
			ns, err := strconv.ParseInt(ran, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", file, err)
			}
			sum += time.Duration(ns)
		}
	}
	return sum, nil
}

// memory is what one process has in memory, in KiB.
type memory struct {
	resident, private, proportional float64
}

// memoryOf reads smaps_rollup.
func memoryOf(p harness.Process) (memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.PID))
	if err != nil {
		return memory{}, err
	}
	return parseRollup(string(data)), nil
}

func parseRollup(text string) memory {
	var m memory
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "Rss:":
			m.resident += kib
		case "Pss:":
			m.proportional += kib
		case "Private_Clean:", "Private_Dirty:":
			m.private += kib
		}
	}
	return m
}
