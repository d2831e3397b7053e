package system

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// Manager is the service manager that started this process, or none: then nothing is sent.
type Manager struct {
	address  string
	watchdog time.Duration
}

// FindManager reads what sd_notify(3) describes.
func FindManager(getenv func(string) string, pid int) Manager {
	m := Manager{address: getenv("NOTIFY_SOCKET")}
	if socket, ok := strings.CutPrefix(m.address, "@"); ok {
		m.address = "\x00" + socket // in the abstract namespace
	}
	microseconds, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if of := getenv("WATCHDOG_PID"); err == nil && (of == "" || of == strconv.Itoa(pid)) {
		m.watchdog = time.Duration(microseconds) * time.Microsecond
	}
	return m
}

// Watchdog is how often the manager wants to hear WATCHDOG=1, with time to spare, and 0 where it does not.
func (m Manager) Watchdog() time.Duration { return m.watchdog / 3 }

// Tell sends one state, such as READY=1. What the manager does not hear it finds out by itself.
func (m Manager) Tell(state ...string) error {
	if m.address == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.address, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(time.Second)) // the manager may be busy; nobody waits for it for long
	_, err = c.Write([]byte(strings.Join(state, "\n")))
	return err
}
