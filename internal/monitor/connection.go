package monitor

import (
	"net"
	"net/http"
	"slices"
	"sync"
)

// clientsMost is how many connections there are at once.
const clientsMost = 32

// Limit is a listener that has so many connections at most. Where one more comes, that is closed whose client has been silent for
// longest, or takes longest over a request: who holds a connection keeps nobody out.
func Limit(l net.Listener) net.Listener { return &limited{Listener: l} }

type limited struct {
	net.Listener
	mutex sync.Mutex
	all   []*connection // that which has changed last is the last
}

func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &connection{conn, l}
	l.mutex.Lock()
	var longest *connection
	if len(l.all) == clientsMost {
		longest = l.all[0]
	}
	l.all = append(l.all, c)
	l.mutex.Unlock()
	if longest != nil {
		longest.Close()
	}
	return c, nil
}

// A connection of a limited listener.
type connection struct {
	net.Conn
	of *limited
}

// changed is what the server says of a connection when a request begins, and when it is answered.
func changed(conn net.Conn, _ http.ConnState) {
	c, ok := conn.(*connection)
	if !ok {
		return
	}
	c.of.mutex.Lock()
	defer c.of.mutex.Unlock()
	if n := slices.Index(c.of.all, c); n >= 0 {
		c.of.all = append(slices.Delete(c.of.all, n, n+1), c)
	}
}

// Close has the listener forget it.
func (c *connection) Close() error {
	c.of.mutex.Lock()
	c.of.all = slices.DeleteFunc(c.of.all, func(other *connection) bool { return other == c })
	c.of.mutex.Unlock()
	return c.Conn.Close()
}
