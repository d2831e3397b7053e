package remote

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"gosess/agent/internal/far"
)

// listen has a function called with each connection to a port of its own, which is closed after that.
func listen(t *testing.T, serve func(port int, c net.Conn)) (port int) {
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
				serve(port, c)
			}()
		}
	}()
	return port
}

// pretend is a server that answers each command as a test says, and as a real one where that says nothing.
func pretend(t *testing.T, answer func(port int, words []string) string) (port int) {
	t.Helper()
	return listen(t, func(port int, c net.Conn) {
		for in := bufio.NewReader(c); ; {
			words, err := readCommand(in)
			if err != nil {
				return
			}
			said := answer(port, words)
			switch name := strings.ToUpper(words[0]); {
			case said != "":
			case name == "HELLO":
				said = "%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n"
			case name == "PING":
				said = "+PONG\r\n"
			case name == "GET":
				said = "_\r\n"
			default:
				said = "+OK\r\n"
			}
			if _, err := io.WriteString(c, said); err != nil {
				return
			}
		}
	})
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
			return ""
		})
		m := start(t, fmt.Sprintf("redis://127.0.0.1:%d?cluster", port))
		m.waitSays("which lacks words")
		if _, err := m.get(far.Get, keyOf(1)); err == nil {
			t.Errorf("%q: an answer", redirect)
		}
	}
}

// TestClustersThatAreNone has a cluster say of its slots what none does, and of ever more shards.
func TestClustersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(i int) (first, last int){
		"a shard for each slot": func(i int) (int, int) { return i, i },
		"all slots on each":     func(int) (int, int) { return 0, 16383 },
	} {
		var asked atomic.Int32
		port := pretend(t, func(port int, words []string) string {
			if words[0] != "CLUSTER" {
				return ""
			}
			var said strings.Builder
			const ranges = 5000
			fmt.Fprintf(&said, "*%d\r\n", ranges)
			for i := range ranges {
				first, last := of(i)
				fmt.Fprintf(&said, "*3\r\n:%d\r\n:%d\r\n*3\r\n$9\r\n127.0.0.1\r\n:%d\r\n$6\r\nid%04d\r\n", first, last, port, i)
			}
			asked.Add(1)
			return said.String()
		})
		m := start(t, fmt.Sprintf("redis://127.0.0.1:%d?cluster", port))
		m.waitUp()
		before := asked.Load()
		m.shards.learn(m.link.Load().client)
		if asked.Load() == before {
			t.Errorf("%s: nothing was asked", name)
		}
		if n := m.shards.count(); n != 1 {
			t.Errorf("%s: it is taken for %d shards", name, n)
		}
	}
}

// TestRepeatedPassword has servers repeat what they were sent, as some do with what they do not understand.
func TestRepeatedPassword(t *testing.T) {
	t.Parallel()
	password := filepath.Join(t.TempDir(), "password")
	os.WriteFile(password, []byte("a very long password that is secret\n"), 0o600)
	for name, answer := range map[string]func(int, []string) string{
		"hello": func(_ int, words []string) string {
			if words[0] == "HELLO" || words[0] == "AUTH" {
				return "-ERR I do not know " + strings.Join(words, " ") + "\r\n"
			}
			return ""
		},
		"cut": func(_ int, words []string) string {
			if words[0] == "HELLO" || words[0] == "AUTH" {
				return "-ERR unknown command, with args beginning with: '3' 'AUTH' 'default' 'a very long password that\r\n"
			}
			return ""
		},
		"get": func(_ int, words []string) string {
			if words[0] == "SET" {
				return "-ERR said by a very long password that is secret\r\n"
			}
			return ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := start(t, fmt.Sprintf("redis://127.0.0.1:%d?password=%s", pretend(t, answer), password))
			if name == "get" {
				m.waitUp()
				m.put(keyOf(1), "one", 100)
			}
			m.waitSays(map[string]string{"hello": "I do not know", "cut": "unknown command", "get": "said by"}[name])
			if said := m.log(); strings.Contains(said, "very long") {
				t.Errorf("the password is in the log: %s", said)
			}
		})
	}
}

// TestManyErrors has a server answer with ever new errors: these are one cause of log lines.
func TestManyErrors(t *testing.T) {
	t.Parallel()
	count := 0
	m := start(t, fmt.Sprintf("redis://127.0.0.1:%d", pretend(t, func(_ int, words []string) string {
		if words[0] != "SET" {
			return ""
		}
		count++
		return fmt.Sprintf("-ERROR%d \u009b31mred\r\n", count)
	})))
	m.waitUp()
	for i := range 100 {
		if err := m.put(keyOf(i), "one", 100); err != far.ErrRefused {
			t.Fatal(err)
		}
	}
	if said := m.log(); strings.Count(said, "ERROR") != 1 || strings.Contains(said, "\u009b") {
		t.Errorf("it said: %q", said)
	}
}
