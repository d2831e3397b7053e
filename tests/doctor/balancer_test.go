package doctor_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// balancer listens at a port and leads each connection to one of those ports, whichever.
func balancer(t *testing.T, ports ...int) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go lead(conn.(*net.TCPConn), at(ports[rand.IntN(len(ports))])[0])
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func lead(from *net.TCPConn, target string) {
	defer from.Close()
	conn, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	to := conn.(*net.TCPConn)
	defer to.Close()
	var both sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{from, to}, {to, from}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0])
			_ = way[1].CloseWrite()
		})
	}
	both.Wait()
}
