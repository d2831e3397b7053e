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

// A chunk is what was read at once. It is due at a time of its own: what is behind another chunk is not later for that.
type chunk struct {
	bytes []byte
	due   time.Time
}

func (p *Proxy) forward(from, to net.Conn) {
	defer from.Close() // which ends read, where to is closed
	defer to.Close()
	chunks := make(chan chunk, 1024)
	go p.read(from, chunks)
	for c := range chunks {
		time.Sleep(time.Until(c.due))
		p.mu.Lock()
		for p.holds {
			p.held.Wait()
		}
		p.mu.Unlock()
		if _, err := to.Write(c.bytes); err != nil {
			return
		}
	}
}

// read reads until from is closed, or nobody takes the chunks any more.
func (p *Proxy) read(from net.Conn, chunks chan<- chunk) {
	defer close(chunks)
	for {
		buffer := make([]byte, 4096)
		n, err := from.Read(buffer)
		p.mu.Lock()
		due := time.Now().Add(p.delay)
		p.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case chunks <- chunk{buffer[:n], due}:
		case <-time.After(time.Minute):
			return
		}
	}
}
