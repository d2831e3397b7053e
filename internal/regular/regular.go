// Package regular opens and replaces files that have to be regular ones, whatever is found under their names: a pipe, which nobody may
// ever write to, keeps nobody waiting, a device that never ends is not read, and none is replaced by a file.
package regular

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// NoWait is what such a file is to be opened with: nobody waits for the other end of a pipe, open(2).
const NoWait = syscall.O_NONBLOCK

var errOther = errors.New("not a regular file")

// Open opens a file that is there.
func Open(path string, mode int) (*os.File, error) {
	file, err := os.OpenFile(path, mode|NoWait, 0)
	if err != nil {
		return nil, err
	}
	if err := Check(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// Check returns an error where a file that is open is none.
func Check(file *os.File) error {
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: file.Name(), Err: errOther}
	}
	return err
}

// Replace writes a file that only its owner reads in the place of the one that a path leads to, if there is one: whole, or not at all.
// What an operator names may be a link, as to a file system in memory: it stays one.
func Replace(path string, data []byte) (err error) {
	switch real, err := filepath.EvalSymlinks(path); {
	case err == nil:
		path = real
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return &os.PathError{Op: "replace", Path: path, Err: errOther}
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
