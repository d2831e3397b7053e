package remote

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"gosess/agent/internal/far"
)

// pretend is a server that answers as a test says to each command; but for HELLO, CLIENT and PING, as a real one. Nil answers
// +OK.
func pretend(t *testing.T, answer func(port int, words []string) string) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	port = l.Addr().(*net.TCPAddr).Port
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					words, err := readCommand(in)
					if err != nil {
						return
					}
					said := "+OK\r\n"
					switch strings.ToUpper(words[0]) {
					case "HELLO":
						said = "%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n"
					case "PING":
						said = "+PONG\r\n"
					case "CLIENT":
					default:
						said = answer(port, words)
					}
					if _, err := io.WriteString(c, said); err != nil {
						return
					}
				}
			}()
		}
	}()
	return port
}

func readCommand(in *bufio.Reader) (words []string, err error) {
	length := func() (n int) {
		var line string
		if line, err = in.ReadString('\n'); err == nil {
			n, err = strconv.Atoi(strings.TrimSpace(line[1:]))
		}
		return n
	}
	for left := length(); left > 0 && err == nil; left-- {
		word := make([]byte, length()+2)
		if err == nil {
			_, err = io.ReadFull(in, word)
		}
		words = append(words, strings.TrimSuffix(string(word), "\r\n"))
	}
	return words, err
}

// TestRedirectedNowhere has a server of a cluster redirect to no address, which the library would look for among the words.
func TestRedirectedNowhere(t *testing.T) {
	t.Parallel()
	for _, redirect := range []string{"-MOVED\r\n", "-ASK 7\r\n", "!5\r\nMOVED\r\n"} {
		port := pretend(t, func(port int, words []string) string {
			switch words[0] {
			case "CLUSTER":
				return fmt.Sprintf("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:%d\r\n$2\r\nid\r\n", port)
			case "GET":
				return redirect
			}
			return "+OK\r\n"
		})
		m := start(t, fmt.Sprintf("redis://127.0.0.1:%d?cluster", port))
		m.waitSays("which lacks words")
		if _, err := m.get(far.Get, keyOf(1)); err == nil {
			t.Errorf("%q: an answer", redirect)
		}
	}
}
