package monitor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"gosess/tests/harness"
)

// Clients that hold connections keep nobody from being answered: those that have said nothing, that are in the middle of a request, and
// that have been answered and stay.
func TestClientsThatStay(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := Server(New("0.1.0", nil), true)
	server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = 0, 0, 0, 0 // time helps nobody here
	go server.Serve(Limit(listener))
	t.Cleanup(func() { server.Close() })
	address := listener.Addr().String()
	hold := func(say string, answered bool) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, say, address)
		if answered {
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				_, err = io.Copy(io.Discard, answer.Body)
			}
			if err != nil || answer.StatusCode != 200 {
				t.Errorf("%v %v", answer, err)
			}
		}
		return conn
	}
	const whole = "GET /metrics HTTP/1.1\r\nHost: %s\r\n\r\n"
	for _, say := range []string{"%.0s", "GET /metrics HTTP/1.1\r\nHost: %s\r\n", whole} {
		for range 2 * clientsMost {
			hold(say, say == whole)
		}
		ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
		defer cancel()
		for range 3 {
			request, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Close = true
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatalf("after %q: %v", say, err)
			}
			answer.Body.Close()
			if answer.StatusCode != 200 {
				t.Errorf("after %q: %d", say, answer.StatusCode)
			}
		}
	}
	// Who has been served last stays, and may ask again.
	last := hold(whole, true)
	for range clientsMost / 2 {
		hold("%.0s", false)
	}
	fmt.Fprintf(last, whole, address)
	if answer, err := http.ReadResponse(bufio.NewReader(last), nil); err != nil || answer.StatusCode != 200 {
		t.Errorf("%v %v", answer, err)
	}
}
