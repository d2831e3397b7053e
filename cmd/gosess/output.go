package main

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// output is where a command writes what it was asked for.
type output struct {
	io.Writer
	colours bool
}

// newOutput has colours on a terminal only, and not where NO_COLOR is set to anything (no-color.org).
func newOutput(file *os.File) *output {
	_, _, terminal := windowSize(file)
	return &output{file, terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// windowSize is that of a terminal, ioctl_tty(2). Not ok: it is none.
func windowSize(file *os.File) (columns, rows int, ok bool) {
	var size struct{ rows, columns, width, height uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return int(size.columns), int(size.rows), errno == 0
}

// The colours are the terminal's own, so that they can be read on every background.

func (o *output) bold(text string) string { return o.paint("1", text) }
func (o *output) bad(text string) string  { return o.paint("31", text) }

func (o *output) paint(code, text string) string {
	if !o.colours || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
