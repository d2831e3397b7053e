package network

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

// Host is a machine to the programs that run on it: a namespace with one address, from where the other hosts and this
// process are reached. Nil is this process's own namespace, with its loopback address.
type Host struct {
	number int
	Wire   *Wire // the way to a distant host; else nil
	space  *space
}

// Address is that of the host.
func (h *Host) Address() string {
	if h == nil {
		return "127.0.0.1"
	}
	return fmt.Sprintf("10.77.%d.2", h.number)
}

// Through is the command that becomes a program of the host.
func (h *Host) Through() []string {
	if h == nil {
		return nil
	}
	return []string{"nsenter", "--net=" + h.space.path()}
}

// Gateway is the address of this process in the host's network.
func (h *Host) Gateway() string { return fmt.Sprintf("10.77.%d.1", h.number) }

// outer is the name of this process's interface there.
func (h *Host) outer() string { return fmt.Sprint("host", h.number) }

// inner is the name of the interface of a host.
const inner = "eth0"

var hosts atomic.Int32

// New makes a host that lives as long as a test. Without root's rights it skips the test.
func New(t testing.TB) *Host { return newHost(t, (*Host).connect) }

// NewDistant makes one behind a wire.
func NewDistant(t testing.TB) *Host { return newHost(t, (*Host).wire) }

func newHost(t testing.TB, connect func(*Host) error) *Host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("machines are network namespaces, which root can make")
	}
	h := &Host{number: int(hosts.Add(1))}
	t.Cleanup(h.end)
	err := connect(h)
	if err == nil {
		err = errors.Join(configure(nil, "addr add "+h.Gateway()+"/24 dev "+h.outer(), "link set "+h.outer()+" up"),
			configure(h.Through(), "link set lo up", "addr add "+h.Address()+"/24 dev "+inner, "link set "+inner+" up",
				"route add default via "+h.Gateway()))
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// connect makes the kernel's own pair of interfaces (veth(4)).
func (h *Host) connect() (err error) {
	if h.space, err = newSpace(); err != nil {
		return err
	}
	return configure(nil, "link add "+h.outer()+" type veth peer name "+inner+" netns "+h.space.path())
}

// wire makes two interfaces with a wire between them.
func (h *Host) wire() (err error) {
	if h.space, err = newSpace(); err != nil {
		return err
	}
	var here, there *os.File
	if here, err = tunnel(h.outer()); err != nil {
		return err
	}
	if h.space.inside(func() { there, err = tunnel(inner) }); err != nil {
		here.Close()
		return err
	}
	h.Wire = newWire(here, there)
	return nil
}

// Listen listens at a port of the host.
func (h *Host) Listen(port int) (l net.Listener, err error) {
	h.space.inside(func() { l, err = net.Listen("tcp4", net.JoinHostPort(h.Address(), strconv.Itoa(port))) })
	return l, err
}

// end takes the host away. Its namespace goes when the last of its processes ends, and a pair of interfaces with it.
func (h *Host) end() {
	if h.Wire != nil {
		h.Wire.close()
	}
	if h.space != nil {
		h.space.close()
	}
}
