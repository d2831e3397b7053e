package testredis

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// A Proxy forwards to a port: at once, later, or not at all for a while.
type Proxy struct {
	listener net.Listener
	mu       sync.Mutex // protects held and delay
	held     *sync.Cond
	holds    bool
	delay    time.Duration
}

// NewProxy makes one on a port of its own.
func NewProxy(t testing.TB, port int) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l}
	p.held = sync.NewCond(&p.mu)
	t.Cleanup(func() { l.Close(); p.Hold(false) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				c.Close()
				continue
			}
			go p.forward(c, there)
			go p.forward(there, c)
		}
	}()
	return p
}

// URL is a far URL.
func (p *Proxy) URL() string { return "redis://" + p.listener.Addr().String() }

// Hold holds everything back, or no longer.
func (p *Proxy) Hold(on bool) {
	p.mu.Lock()
	p.holds = on
	p.mu.Unlock()
	p.held.Broadcast()
}

// Delay has everything come later by so much, each way.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	p.delay = d
	p.mu.Unlock()
}

func (p *Proxy) forward(from, to net.Conn) {
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		for p.holds {
			p.held.Wait()
		}
		delay := p.delay
		p.mu.Unlock()
		time.Sleep(delay)
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
