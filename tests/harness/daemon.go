package harness

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// daemon is what servers have in common that consist of a master and its children.
type daemon struct {
	name   string
	master Process
}

// findMaster waits for the process that a pid file names, which the program may write after the
// command that started it has ended. A file of an earlier run may name somebody else's process
// by now: wanted tells.
func (d *daemon) findMaster(pidFile string, wanted func(Process) bool) error {
	return WaitFor("the pid of "+d.name+"'s master", func() bool {
		data, _ := os.ReadFile(pidFile)
		pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
		found := FindProcess(pid)
		if found.PID == 0 || !wanted(found) {
			return false
		}
		d.master = found
		return true
	})
}

// waitReplaced waits until the workers are ready and none of the old ones is among them, and
// then until the old ones are gone.
func (d *daemon) waitReplaced(old []Process, workers func() []Process, ready func([]Process) bool) error {
	err := WaitFor(d.name+"'s workers", func() bool {
		now := workers()
		isOld := func(p Process) bool { return slices.Contains(old, p) }
		return !slices.ContainsFunc(now, isOld) && ready(now)
	})
	if err != nil {
		return err
	}
	return waitGone(d.name+"'s old workers", old)
}

// all is the master, first, and all its children.
func (d *daemon) all() []Process {
	if !d.master.Alive() {
		return nil
	}
	return append([]Process{d.master}, d.master.Children()...)
}

// stop asks the master to end with a signal after which connections are served to their end.
func (d *daemon) stop(signal syscall.Signal) error {
	processes := d.all()
	if len(processes) == 0 {
		return nil
	}
	if err := d.master.Kill(signal); err != nil {
		return err
	}
	err := waitGone(d.name, processes)
	if err != nil {
		err = errors.Join(err, d.Kill9())
	}
	return err
}

// Kill9 implements Server.
func (d *daemon) Kill9() error {
	processes := d.all()
	for _, p := range processes {
		if p.Alive() {
			if err := p.Kill(syscall.SIGKILL); err != nil && p.Alive() {
				return err
			}
		}
	}
	return waitGone(d.name, processes)
}

// Master implements Server.
func (d *daemon) Master() Process {
	if !d.master.Alive() {
		return Process{}
	}
	return d.master
}
