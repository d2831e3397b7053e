package doctor_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"gosess/tests/harness"
)

// balancer listens at a port and leads each connection to one of those addresses, whichever.
func balancer(t *testing.T, addresses ...string) (port int) {
	t.Helper()
	return harness.Listen(t, func(conn net.Conn) { lead(conn.(*net.TCPConn), addresses[rand.IntN(len(addresses))]) }).Port
}

func lead(from *net.TCPConn, target string) {
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
