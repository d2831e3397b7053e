package window

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrServed is returned by [Serve] where another agent serves the window.
var ErrServed = errors.New("another agent serves the window")

// Suffix is what the name of a window has after that of its store.
const Suffix = ".fleet"

// Serve opens the window of a file for an agent, of which there is one: whoever has it open holds a lock on the
// file. A window is never resized, and a server that needs another one puts a new file in its place.
func Serve(path string) (w *Window, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil, ErrServed
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() != Size {
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	mapping, err := syscall.Mmap(int(file.Fd()), 0, Size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	if w, err = Open(mapping); err != nil {
		_ = syscall.Munmap(mapping)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w.file = file
	return w, nil
}

// IsStill reports whether the file that was opened is still the one of that path.
func (w *Window) IsStill(path string) bool {
	opened, err := w.file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(opened, named)
}

// Close gives up what Serve has opened. Nobody waits for this agent any more.
func (w *Window) Close() {
	w.CloseGate()
	w.Renew(0)
	_ = syscall.Munmap(w.mapping)
	w.file.Close()
}
