package monitor

import (
	"net"
	"sync"
)

// connection gives its place back when it is closed, once.
type connection struct {
	net.Conn
	once  sync.Once
	leave func()
}

func (c *connection) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}
