package probe

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// Limits of one connection, which no server of ours comes near.
const (
	byteLimit = 1 << 20 // that the server sends
	pieceSize = 16 << 10
)

// conn is a TLS connection over a socket.
type conn struct {
	socket net.Conn
	tls    tls
	left   int // bytes that the server may send yet
	piece  []byte
}

// errSilent is returned where a server says nothing for too long.
var errSilent = errors.New("the server does not answer")

// ErrNoWay is returned where this machine has no way to such addresses, as those of IPv6.
var ErrNoWay = errors.New("there is no way to it from here")

// errTooMuch is returned where a server goes on and on.
var errTooMuch = errors.New("the server sends without an end")

// step takes a step of TLS again and again until it is done, with what the server sends.
func (c *conn) step(step func() error) error {
	for {
		err := step()
		if flushed := c.flush(); flushed != nil && err == nil {
			return plain(flushed)
		}
		if !errors.Is(err, errWants) {
			return err
		}
		if err := c.fill(); err != nil {
			return plain(err)
		}
	}
}

// pending is what TLS has to say to the server, and it is said by the caller.
func (c *conn) pending() []byte {
	var all []byte
	for {
		n := c.tls.take(c.piece)
		if n == 0 {
			return all
		}
		all = append(all, c.piece[:n]...)
	}
}

func (c *conn) flush() error {
	bytes := c.pending()
	if len(bytes) == 0 {
		return nil
	}
	_, err := c.socket.Write(bytes)
	return err
}

func (c *conn) fill() error {
	n, err := c.socket.Read(c.piece)
	if n == 0 {
		return err
	}
	if c.left -= n; c.left < 0 {
		return errTooMuch
	}
	return c.tls.give(c.piece[:n])
}

// read reads once.
func (c *conn) read() (string, error) {
	var n int
	bytes := make([]byte, pieceSize)
	err := c.step(func() (err error) {
		n, err = c.tls.read(bytes)
		return err
	})
	return string(bytes[:n]), err
}

// plain says in a few words why a socket failed.
func plain(err error) error {
	var wrapped *net.OpError
	switch {
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return ErrNoWay
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errors.New("the server closed the connection")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSilent
	case errors.As(err, &wrapped):
		var system *os.SyscallError
		if errors.As(err, &system) {
			return fmt.Errorf("the connection failed: %w", system.Err)
		}
		return fmt.Errorf("the connection failed: %w", wrapped.Err)
	}
	return err
}
