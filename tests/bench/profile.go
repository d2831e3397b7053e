package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Lines of a profile that are kept, and the share below which a function is left out.
const (
	profileLines = 45
	profileFloor = "0.5"
)

// profile is where a server spends its time in one more round, as perf says; empty where there is
// no perf, or it may not look.
func (b *bench) profile(d *driver) string {
	var ids []string
	for _, p := range d.processes() {
		ids = append(ids, fmt.Sprint(p.PID))
	}
	file := filepath.Join(b.scratch, "perf.data")
	defer os.Remove(file)
	record := exec.Command("perf", "record", "-q", "-F", "4999", "-o", file, "-p", strings.Join(ids, ","))
	if err := record.Start(); err != nil {
		return ""
	}
	_, failed := d.round()
	if err := record.Process.Signal(os.Interrupt); err != nil {
		return ""
	}
	_ = record.Wait() // perf ends with the signal that it was sent
	if failed != nil {
		return ""
	}
	report := exec.Command("perf", "report", "--stdio", "-i", file, "--sort", "dso,symbol",
		"--percent-limit", profileFloor)
	output, err := report.Output()
	if err != nil {
		return ""
	}
	var lines []string
	for line := range strings.Lines(string(output)) {
		line = strings.TrimRight(line, " \n")
		if line != "" && !strings.HasPrefix(line, "#") && len(lines) < profileLines {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
