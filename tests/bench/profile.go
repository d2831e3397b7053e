package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"gosess/tests/harness"
)

// Lines of a profile that are kept, and the share below which a function is left out.
const (
	profileLines = 45
	profileFloor = "0.5"
)

// profile is where a server spends its time in one more round, as perf says; empty where there is
// no perf, or it may not look.
func (b *bench) profile(d *driver) string {
	client, err := harness.Built("tests/load")
	if err != nil {
		return ""
	}
	var ids []string
	for _, p := range d.processes() {
		ids = append(ids, strconv.Itoa(p.PID))
	}
	file := filepath.Join(b.scratch, "perf.data")
	defer os.Remove(file)
	// perf looks at the servers for as long as the client runs.
	arguments := append([]string{"record", "-q", "-F", "4999", "-o", file, "-p", strings.Join(ids, ","), "--",
		client, "--port", strconv.Itoa(d.port)}, d.arguments()...)
	if err := exec.Command("perf", arguments...).Run(); err != nil {
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
