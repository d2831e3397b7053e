// Package network has machines on one machine: network namespaces of the kernel (network_namespaces(7)), which the process of the
// tests connects with each other, and takes apart again.
package network

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// insideVariable says to a process of tests that it is in its own namespace already.
const insideVariable = "GOSESS_TESTS_INSIDE"

// Main runs the tests of a package in a network namespace of their own, in which the hosts that they make meet. Nothing else on the
// machine sees any of it, and it ends with this process, however that ends. It wants root's rights: without them the tests run where
// they are, and those that need a host are skipped.
func Main(m *testing.M, run func(*testing.M) int) int {
	if os.Geteuid() != 0 {
		return run(m)
	}
	if os.Getenv(insideVariable) != "" {
		if err := prepare(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return run(m)
	}
	runtime.LockOSThread() // the child ends with the thread that started it
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "a network namespace cannot be made:", err)
		return 1
	}
	return cmd.ProcessState.ExitCode()
}

// Outside is the command that becomes a program in the namespace that the tests were started in, which may lead to the Internet: empty
// where they are in it themselves.
func Outside() []string {
	if os.Getenv(insideVariable) == "" {
		return nil
	}
	return []string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", os.Getppid())}
}

// prepare makes the namespace of this process forward packets between hosts.
func prepare() error {
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	return configure(nil, "link set lo up")
}

// configure has ip(8) carry out lines, through a command that enters a namespace.
func configure(through []string, lines ...string) error {
	words := append(append([]string{}, through...), "ip", "-batch", "-")
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, said)
	}
	return nil
}

// A space is a network namespace with a thread of this process in it.
type space struct {
	file  *os.File
	calls chan func()
}

// newSpace makes one.
func newSpace() (*space, error) {
	s := &space{calls: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: no other goroutine is to be in there
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		if err == nil {
			s.file, err = os.Open("/proc/thread-self/ns/net")
		}
		made <- err
		for call := range s.calls {
			call()
		}
		_ = syscall.Unshare(syscall.CLONE_NEWNET) // leave it
		select {}                                 // a thread that ended would take with it what it has started before (Pdeathsig)
	}()
	if err := <-made; err != nil {
		close(s.calls)
		return nil, fmt.Errorf("a network namespace cannot be made: %w", err)
	}
	return s, nil
}

// path is what names it to other programs.
func (s *space) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

// inside calls a function on the thread that is in it.
func (s *space) inside(call func()) {
	done := make(chan struct{})
	s.calls <- func() {
		call()
		close(done)
	}
	<-done
}

func (s *space) close() {
	close(s.calls)
	s.file.Close()
}
