package harness

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"syscall"
)

// FreePort is a port of loopback that is free, and that no other test is given while this process of tests runs: a server
// binds it only later, and again when it restarts. The kernel gives it to no client, where it leaves some ports.
func FreePort() (int, error) {
	const first = 10000
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, err
	}
	var ofClients int
	if _, err := fmt.Sscan(string(text), &ofClients); err != nil {
		return 0, err
	}
	for range 100 {
		port := 0 // any
		if ofClients > first {
			port = first + rand.IntN(ofClients-first)
		}
		if port, err = bindable(port); err == nil {
			err = reserve(port)
		}
		if err == nil {
			return port, nil
		}
	}
	return 0, err
}

// bindable is the port that was asked for, or one that the kernel has chosen where that is 0.
func bindable(port int) (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// reserve keeps a port from the other processes of tests of this network namespace, and from this one, until this process ends:
// nobody connects to the abstract Unix socket, but its name can be bound once.
func reserve(port int) error {
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("reserve port %d: %w", port, err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrUnix{Name: fmt.Sprintf("@gosess-test-port-%d", port)}); err != nil {
		return errors.Join(fmt.Errorf("reserve port %d: %w", port, err), syscall.Close(socket))
	}
	return nil
}
