package remote

import (
	"net"
	"os"
	"syscall"
	"time"
)

// A socket is a connection that is read by read(2) on the thread of whoever reads, which the kernel wakes when there is something. Of Go's own
// connections another thread may be woken first, which looks what there is to do.
type socket struct {
	*os.File
	local, remote net.Addr
}

// writePatience is for how long a write waits for room: what is written is small, and there is none where nobody reads.
const writePatience = 500 * time.Millisecond

// newSocket makes one of a connection, which it ends.
func newSocket(c net.Conn) (net.Conn, error) {
	defer c.Close()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd uintptr
	var errno syscall.Errno
	if err := raw.Control(func(its uintptr) { fd, _, errno = syscall.Syscall(syscall.SYS_FCNTL, its, syscall.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return nil, err
	}
	if errno != 0 {
		return nil, errno
	}
	// Before it is a File, which would else have Go wait for it.
	patience := syscall.NsecToTimeval(int64(writePatience))
	err = syscall.SetNonblock(int(fd), false)
	if err == nil {
		err = syscall.SetsockoptTimeval(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &patience)
	}
	s := &socket{os.NewFile(fd, "far store"), c.LocalAddr(), c.RemoteAddr()}
	if err != nil {
		s.File.Close()
		return nil, err
	}
	return s, nil
}

func (s *socket) LocalAddr() net.Addr  { return s.local }
func (s *socket) RemoteAddr() net.Addr { return s.remote }

// Close has a goroutine that reads return too.
func (s *socket) Close() error {
	if raw, err := s.File.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) })
	}
	return s.File.Close()
}
