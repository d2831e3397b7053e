package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Process is one process, and no later one of the same number.
type Process struct {
	PID   int
	start string // in ticks since boot
}

// stat returns the parent, the state and the start time of a process.
func stat(pid int) (parent int, state, start string, ok bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, "", "", false
	}
	// The second field is the program's name in parentheses, and may hold anything.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 20 {
		return 0, "", "", false
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, fields[0], fields[19], err == nil
}

// FindProcess is the running process of that number; its PID is 0 where there is none.
func FindProcess(pid int) Process {
	_, state, start, ok := stat(pid)
	if !ok || state == "Z" {
		return Process{}
	}
	return Process{pid, start}
}

// Alive says whether the process still runs. A dead one that nobody has waited for does not.
func (p Process) Alive() bool {
	return p.PID != 0 && FindProcess(p.PID) == p
}

// Children are the running children.
func (p Process) Children() []Process {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	var found []Process
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(path))
		parent, state, start, ok := stat(pid)
		if ok && parent == p.PID && state != "Z" {
			found = append(found, Process{pid, start})
		}
	}
	return found
}

// Title is the command line, which many servers set to say what a process is for.
func (p Process) Title() string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
	return strings.TrimSpace(strings.ReplaceAll(string(data), "\x00", " "))
}

// Threads is the number of its threads.
func (p Process) Threads() int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.PID))
	return len(entries)
}

// Status is a line of /proc/PID/status, as of SigCgt.
func (p Process) Status(name string) string {
	return statusLine(fmt.Sprintf("/proc/%d/status", p.PID), name)
}

// ThreadStatus is that line of each of its threads.
func (p Process) ThreadStatus(name string) []string {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.PID))
	var lines []string
	for _, path := range paths {
		lines = append(lines, statusLine(path, name))
	}
	return lines
}

func statusLine(path, name string) string {
	data, _ := os.ReadFile(path)
	for line := range strings.Lines(string(data)) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// Maps says whether a file whose name holds that text is mapped in it.
func (p Process) Maps(name string) bool {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.PID))
	return strings.Contains(string(data), name)
}

// Kill sends a signal, to this process only.
func (p Process) Kill(signal syscall.Signal) error {
	if !p.Alive() {
		return fmt.Errorf("process %d does not run", p.PID)
	}
	return syscall.Kill(p.PID, signal)
}

// waitGone waits until none of the processes runs.
func waitGone(what string, processes []Process) error {
	return WaitFor(what+" to end", func() bool {
		for _, p := range processes {
			if p.Alive() {
				return false
			}
		}
		return true
	})
}

// HasOpen says whether it has that file open.
func (p Process) HasOpen(path string) bool {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.PID))
	for _, link := range links {
		if target, _ := os.Readlink(link); target == path {
			return true
		}
	}
	return false
}

// Limit is the soft limit of that name in proc(5), limits.
func (p Process) Limit(name string) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.PID))
	for line := range strings.Lines(string(data)) {
		if rest, found := strings.CutPrefix(line, name); found {
			return strings.Fields(rest)[0]
		}
	}
	return ""
}
