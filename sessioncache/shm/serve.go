package shm

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Errors of [Serve].
var (
	// ErrServed is returned where another agent serves the store.
	ErrServed = errors.New("another agent serves this store")
	// ErrAlone is returned for a store of no fleet.
	ErrAlone = errors.New("a store of no fleet: the servers were started without ?fleet")
	// ErrEmpty is returned where a server has only begun to make a store.
	ErrEmpty = errors.New("no store yet, but an empty file")
)

// lockOfFile is F_OFD_SETLK of fcntl(2): a lock that the open file has, not the process. Servers use
// flock(2) while they open the store, which knows nothing of it.
const lockOfFile = 37

// Served is the store of a fleet that this process, the agent, serves.
type Served struct {
	*Store
	file *os.File
	name string // that the kernel had for it, or "" where it does not tell
}

// Serve opens the store of a fleet that servers have made. Of the agents that serve one there is one at a time.
func Serve(path string) (_ *Served, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, ErrNotOurs)
	}
	if info.Size() == 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrEmpty)
	}
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: info.Size(), Len: 1}
	if err = syscall.FcntlFlock(file.Fd(), lockOfFile, &lock); err == syscall.EAGAIN || err == syscall.EACCES {
		err = ErrServed
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	mapping, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	store, err := Open(mapping)
	if err == nil && !store.fleet {
		err = ErrAlone
	}
	if err != nil {
		_ = syscall.Munmap(mapping)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s := &Served{Store: store, file: file}
	s.name, _ = s.nameOfFile()
	return s, nil
}

// IsStill reports whether the file still has the name that it was opened by: servers put another one in its place where it is
// damaged or of another version. The kernel knows, and asks for no right to the folder: the agent has none by then.
func (s *Served) IsStill() bool {
	name, err := s.nameOfFile()
	return err != nil || s.name == "" || name == s.name
}

func (s *Served) nameOfFile() (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/self/fd/%d", s.file.Fd()))
}

// Close ends that. Nobody uses the store any more.
func (s *Served) Close() {
	_ = syscall.Munmap(s.mapping)
	s.file.Close()
}
