package network

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Wire is the way to a distant host. This process carries each packet over it, so that it can be long, or cut, whatever queueing
// disciplines the kernel has.
type Wire struct {
	trip atomic.Int64 // there and back, in nanoseconds
	cut  atomic.Bool
	ends [2]*os.File
}

// Away has packets take so long, there and back.
func (w *Wire) Away(trip time.Duration) { w.trip.Store(int64(trip)) }

// Cut has packets get lost, or no longer.
func (w *Wire) Cut(on bool) { w.cut.Store(on) }

// queued is how many packets are on their way in one direction: more get lost, as they do on any wire.
const queued = 4096

// A packet arrives at a time.
type packet struct {
	due  time.Time
	data []byte
}

// newWire carries packets between two interfaces, until it is closed.
func newWire(ends ...*os.File) *Wire {
	w := &Wire{ends: [2]*os.File(ends)}
	for i := range w.ends {
		on := make(chan packet, queued)
		go w.take(w.ends[i], on)
		go deliver(on, w.ends[1-i])
	}
	return w
}

func (w *Wire) close() {
	for _, end := range w.ends {
		end.Close()
	}
}

func (w *Wire) take(from *os.File, on chan<- packet) {
	defer close(on)
	for buffer := make([]byte, 1<<16); ; {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if w.cut.Load() {
			continue
		}
		data := append([]byte(nil), buffer[:n]...)
		select {
		case on <- packet{time.Now().Add(time.Duration(w.trip.Load() / 2)), data}:
		default:
		}
	}
}

func deliver(on <-chan packet, to *os.File) {
	for p := range on {
		time.Sleep(time.Until(p.due))
		_, _ = to.Write(p.data) // an interface that is down takes none
	}
}

// tunnel makes a network interface of that name whose packets this process reads and writes, in the namespace of the thread.
func tunnel(name string) (*os.File, error) {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	request := struct { // struct ifreq of netdevice(7)
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		rest  [22]byte
	}{flags: syscall.IFF_TUN | syscall.IFF_NO_PI}
	copy(request.name[:], name)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&request))); errno != 0 {
		syscall.Close(fd)
		return nil, os.NewSyscallError("TUNSETIFF", errno)
	}
	return os.NewFile(uintptr(fd), name), nil
}
