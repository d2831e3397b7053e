// Package regular opens files that have to be regular ones, whatever is found under their names: a pipe, which nobody may ever
// write to, keeps nobody waiting, and a device that never ends is not read.
package regular

import (
	"errors"
	"os"
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
