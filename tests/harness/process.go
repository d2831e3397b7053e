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
	if !ok || ended(pid, state) {
		return Process{}
	}
	return Process{pid, start}
}

// ended says whether a process of that state has ended. One whose first thread has ended is not that as long as others end
// yet: it still has its files and listens at its ports.
func ended(pid int, state string) bool {
	return state == "Z" && Process{PID: pid}.Threads() <= 1
}

// Alive says whether the process still runs. A dead one that nobody has waited for does not.
func (p Process) Alive() bool {
	return p.PID != 0 && FindProcess(p.PID) == p
}

// Children are the running children. The kernel's list may lack one while another ends (proc(5)), so it is read until
// it says the same twice.
func (p Process) Children() []Process {
	list := p.childList()
	for {
		again := p.childList()
		if again == list {
			break
		}
		list = again
	}
	var found []Process
	for _, field := range strings.Fields(list) {
		pid, _ := strconv.Atoi(field)
		parent, state, start, ok := stat(pid)
		if ok && parent == p.PID && !ended(pid, state) {
			found = append(found, Process{pid, start})
		}
	}
	return found
}

// childList is what the kernel says of the children of all its threads.
func (p Process) childList() string {
	var text strings.Builder
	for _, thread := range p.ThreadIDs() {
		data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", p.PID, thread))
		text.Write(data)
	}
	return text.String()
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

// ThreadStatus is a line of /proc/PID/task/TID/status, as of SigBlk, of each of its threads.
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
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
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

// Memory is a size of proc(5), status, in bytes: VmSize, VmLck.
func (p Process) Memory(name string) int {
	kib, _, _ := strings.Cut(statusLine(fmt.Sprintf("/proc/%d/status", p.PID), name), " ")
	number, _ := strconv.Atoi(kib)
	return number << 10
}

// ThreadIDs are the numbers of its threads.
func (p Process) ThreadIDs() []string {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.PID))
	var ids []string
	for _, entry := range entries {
		ids = append(ids, entry.Name())
	}
	return ids
}

// TimerSlack is that of one of its threads, in nanoseconds: prctl(2), PR_SET_TIMERSLACK.
func (p Process) TimerSlack(thread string) (int, error) {
	text, err := os.ReadFile("/proc/" + thread + "/timerslack_ns")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// Signals is what becomes of signals in a process, one bit each.
type Signals struct {
	Caught, Ignored, Blocked uint64 // blocked: in its first thread
}

// Signals are those of proc(5), status.
func (p Process) Signals() Signals {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	var s Signals
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		bits, _ := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		switch name {
		case "SigCgt":
			s.Caught = bits
		case "SigIgn":
			s.Ignored = bits
		case "SigBlk":
			s.Blocked = bits
		}
	}
	return s
}

// WithGo is what they should be once the Go half is there: it catches the faults, and hands
// on to the host what is not its own. Two signals are the C library's, for programs with threads.
func (s Signals) WithGo() Signals {
	for _, signal := range []syscall.Signal{syscall.SIGBUS, syscall.SIGSEGV, 32, 33} {
		s.Caught |= 1 << (signal - 1)
	}
	return s
}

// Holds is what a process has of what may leak.
type Holds struct {
	Descriptors, Mappings, Threads int
	Memory                         int // in KiB, resident, of its own
}

// Holds counts.
func (p Process) Holds() Holds {
	descriptors, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID))
	maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.PID))
	h := Holds{Descriptors: len(descriptors), Mappings: strings.Count(string(maps), "\n"), Threads: p.Threads()}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "RssAnon:"); found {
			h.Memory, _ = strconv.Atoi(strings.Fields(value)[0])
		}
	}
	return h
}

// Grew says whether something has grown with each time that it could. A connection more or less
// is nothing, nor is a page.
func (h Holds) Grew(before Holds, times int) bool {
	return h.Descriptors-before.Descriptors >= times/2 || h.Mappings-before.Mappings >= times/2 ||
		h.Threads-before.Threads >= times/2 || h.Memory-before.Memory >= 40*times
}
