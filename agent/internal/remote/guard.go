package remote

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// A guarded connection ends at the first thing that a store has no reason to send: see scanner.
type guarded struct {
	net.Conn
	asked   atomic.Int64 // commands that were written
	written scanner      // used by the one goroutine that writes at a time
	read    scanner      // used by the one that reads
	failed  func(error)
	gone    func(*guarded)
	once    sync.Once
}

func guard(c net.Conn, push bool, failed func(error), gone func(*guarded)) *guarded {
	g := &guarded{Conn: c, read: scanner{push: push}, failed: failed, gone: gone}
	if push {
		var o order
		g.written.ended, g.read.ended = o.asked, o.answered
	}
	return g
}

func (g *guarded) Write(b []byte) (int, error) {
	// Before they are sent, as the answer may come before Write returns.
	if err := g.written.scan(b); err != nil {
		return 0, err
	}
	g.asked.Store(int64(g.written.values))
	return g.Conn.Write(b)
}

func (g *guarded) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if bad := g.read.scan(b[:n]); bad != nil {
		return 0, g.refuse(bad)
	}
	if answers := int64(g.read.values); answers > g.asked.Load() {
		return 0, g.refuse(fmt.Errorf("%d answers to %d commands", answers, g.asked.Load()))
	}
	return n, err
}

func (g *guarded) refuse(bad error) error {
	bad = fmt.Errorf("%s does not speak as Valkey or Redis does: %w", g.RemoteAddr(), bad)
	g.failed(bad)
	g.Conn.Close()
	return bad
}

// Close ends the connection, and is told once.
func (g *guarded) Close() error {
	g.once.Do(func() { g.gone(g) })
	return g.Conn.Close()
}
