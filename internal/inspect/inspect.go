// Package inspect finds stores and maps them, from outside the servers that use them. It needs no keys but for
// what is sealed, and changes nothing but where it flushes or announces keys.
package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"

	"gosess/capi/settings"
	"gosess/internal/regular"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// Store is a store that is mapped.
type Store struct {
	Name     string // as it was asked for
	mapping  []byte
	reader   *shm.Reader
	writable bool
	path     string
	file     os.FileInfo
}

// Access is what a store is mapped for.
type Access bool

// The kinds of access.
const (
	ToRead   Access = false
	ToChange Access = true
)

// ByURL opens the store that a URL names by its path.
func ByURL(url string, access Access) (*Store, error) {
	parsed, err := settings.Parse(url)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(url, "memory:") {
		return nil, errors.New("a memory: cache has no store: each process counts for itself, and only it can ask (gosess_cache_stats)")
	}
	if parsed.Path == "" {
		return nil, errors.New("a store in memory has no path; name a process that has it mapped: gosess stats --pid PID")
	}
	return open(url, parsed.Path, access)
}

// ByProcess opens the store in memory that a process, or its parent before it, has made.
func ByProcess(pid int, access Access) (*Store, error) {
	path, err := mappedBy(pid)
	if err != nil {
		return nil, err
	}
	return open(fmt.Sprintf("of process %d", pid), path, access)
}

// mappedBy finds the file of the store that a process has mapped.
func mappedBy(pid int) (string, error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("there is no process %d", pid)
	}
	if err != nil {
		return "", explained(err)
	}
	defer maps.Close()
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 5 && fields[5] == "/memfd:gosess" && strings.HasSuffix(fields[1], "s") {
			return fmt.Sprintf("/proc/%d/map_files/%s", pid, fields[0]), nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("process %d has no store in memory mapped; one with a path is named by its URL", pid)
}

// explained is why a file cannot be opened, with what to do.
func explained(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w; a server makes the store when it starts with it as its GOSESS_CACHE", err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w; allowed: the user that the servers are started by, or root", err)
	}
	return err
}

func open(name, path string, access Access) (*Store, error) {
	s := &Store{Name: name, writable: access == ToChange}
	err := s.open(path)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", name, err)
	}
	return s, nil
}

func (s *Store) open(path string) error {
	mode, protection := os.O_RDONLY, syscall.PROT_READ
	if s.writable {
		mode, protection = os.O_RDWR, syscall.PROT_READ|syscall.PROT_WRITE
	}
	file, err := regular.Open(path, mode)
	if err != nil {
		return explained(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	s.path, s.file = path, info
	if info.Size() == 0 {
		return shm.ErrNotOurs
	}
	s.mapping, err = syscall.Mmap(int(file.Fd()), 0, int(info.Size()), protection, syscall.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map: %w", err)
	}
	err = s.read(func() (err error) {
		s.reader, err = shm.OpenReadOnly(s.mapping)
		return err
	})
	if err != nil {
		s.Close()
	}
	return err
}

// read looks into the mapping. Somebody may cut the file short meanwhile: then a look at what is gone is a fault.
func (s *Store) read(look func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if _, fault := p.(interface{ Addr() uintptr }); fault {
			err = errors.New("the file of the store has been cut short")
		} else if p != nil {
			panic(p)
		}
	}()
	return look()
}

// lookedThrough is how large a store may be all of which is looked at by who asks what it holds.
const lookedThrough = 1 << 30

// Stats returns the counters, and what the store holds: of a very large one, which may be larger than the memory that there is for
// looking at it, that is worked out as by Glance.
func (s *Store) Stats() (st sessioncache.Stats, err error) {
	if len(s.mapping) > lookedThrough {
		return s.Glance()
	}
	err = s.read(func() error {
		st = s.reader.Stats()
		return nil
	})
	if err != nil {
		return st, fmt.Errorf("store %s: %w", s.Name, err)
	}
	return st, nil
}

// Glance is Stats for who looks again and again: see shm.Reader. What was looked at counts as memory of this process only meanwhile,
// although it is the servers' (madvise(2): of a shared mapping nothing is lost).
func (s *Store) Glance() (st sessioncache.Stats, err error) {
	err = s.read(func() error {
		st = s.reader.Glance()
		return nil
	})
	if failed := syscall.Madvise(s.mapping, syscall.MADV_DONTNEED); err == nil {
		err = failed
	}
	if err != nil {
		return st, fmt.Errorf("store %s: %w", s.Name, err)
	}
	return st, nil
}

// Replaced reports whether another file is where this one was, or none.
func (s *Store) Replaced() bool {
	now, err := os.Stat(s.path)
	return err != nil || !os.SameFile(now, s.file)
}

// List calls do for each session, of one owner or of all where it is nil.
func (s *Store) List(owner *sessioncache.Tag, do func(shm.Listed)) error {
	err := s.read(func() error {
		s.reader.List(owner, do)
		return nil
	})
	if err != nil {
		return fmt.Errorf("store %s: %w", s.Name, err)
	}
	return nil
}

// Flush drops the sessions of an owner, of all where it is nil, that were stored before a time in unix seconds, all of them where
// it is 0, and says how many. The store was opened for that. In a fleet all machines drop theirs, and are told by the agent; there
// it is all of them, as what the far store has does not say when a server stored it.
func (s *Store) Flush(owner *sessioncache.Tag, before int64) (n int, err error) {
	err = s.read(func() error {
		if s.reader.Fleet() && before != 0 {
			return errors.New("it is that of a fleet, whose machines are told of all sessions, or all of a context; allowed: without --older")
		}
		writer, err := shm.Open(s.mapping)
		if err != nil {
			return err
		}
		n = writer.FlushStored(owner, before)
		if news := writer.Window(); news != nil {
			news.Flushed(owner, 0)
		}
		writer.Leave()
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("store %s: %w", s.Name, err)
	}
	return n, nil
}

// Close unmaps the store.
func (s *Store) Close() error { return syscall.Munmap(s.mapping) }
