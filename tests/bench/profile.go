package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"gosess/tests/harness"
)

// profileLines are the lines of a profile that are kept.
const profileLines = 40

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
	longer := *d
	longer.attempts *= 3
	// perf looks at the servers for as long as the client runs.
	arguments := append([]string{"record", "-q", "-F", "4999", "-o", file, "-p", strings.Join(ids, ","), "--",
		client, "--port", strconv.Itoa(d.port)}, longer.arguments()...)
	if err := exec.Command("perf", arguments...).Run(); err != nil {
		return ""
	}
	return "by library\n" + report(file, "dso", "1") + "\nby function\n" + report(file, "dso,symbol", "0.7")
}

// report is what perf has recorded, sorted, down to a share in percent.
func report(file, sort, floor string) string {
	output, err := exec.Command("perf", "report", "--stdio", "-i", file, "--sort", sort, "--percent-limit", floor).Output()
	if err != nil {
		return ""
	}
	var text strings.Builder
	lines := 0
	for line := range strings.Lines(string(output)) {
		line = strings.TrimRight(line, " \n-") // columns that this kernel leaves empty
		if line == "" || strings.HasPrefix(line, "#") || lines == profileLines {
			continue
		}
		text.WriteString(line + "\n")
		lines++
	}
	return text.String()
}
