package fleet

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gosess/tests/fleet/network"
	"gosess/tests/harness"
)

// Redis is a redis-server.
type Redis struct {
	Host      *network.Host // nil: this machine, on loopback
	Root      string        // the root directory of another system, whose valkey-server it is then
	Dir       string        // in that system
	Port      int
	Arguments []string // as in its configuration, with two dashes
	cmd       *exec.Cmd
}

// StartRedis starts one on this machine, in a directory.
func StartRedis(dir string) (*Redis, error) {
	r := &Redis{Dir: dir}
	return r, r.Run()
}

// Run starts it, again after Kill.
func (r *Redis) Run() (err error) {
	if r.Port == 0 {
		if r.Port, err = harness.FreePort(); err != nil {
			return err
		}
	}
	line := slices.Clone(r.Host.Through())
	if r.Root == "" {
		line = append(line, "redis-server")
	} else {
		line = append(line, "chroot", r.Root, "/usr/bin/valkey-server")
	}
	line = append(line, "--bind", r.Host.Address(), "--protected-mode", "no", "--port", strconv.Itoa(r.Port), "--save", "", "--dir", r.Dir,
		"--unixsocket", r.socket())
	r.cmd = exec.Command(line[0], append(line[1:], r.Arguments...)...)
	r.cmd.Env = append(os.Environ(), "LC_ALL=C") // the locale of this system may be none of another root
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	return harness.WaitFor("redis-server", func() bool { return r.Ask("PING") == "PONG" })
}

// socket is the path of its Unix socket, in its own system.
func (r *Redis) socket() string { return filepath.Join(r.Dir, "redis.sock") }

// Kill ends it.
func (r *Redis) Kill() {
	if r.cmd != nil {
		end(r.cmd)
		r.cmd = nil
	}
}

// Process is the process of it.
func (r *Redis) Process() *os.Process { return r.cmd.Process }

// Address is where it is.
func (r *Redis) Address() string { return net.JoinHostPort(r.Host.Address(), strconv.Itoa(r.Port)) }

// URL is its far URL.
func (r *Redis) URL() string { return "redis://" + r.Address() }

// Ask sends a command, not over the network, and returns the answer: the lines of a list, the text of an error, nothing where
// there is no server.
func (r *Redis) Ask(words ...string) string {
	conn, err := net.DialTimeout("unix", filepath.Join(r.Root, r.socket()), harness.Patience)
	if err != nil {
		return ""
	}
	defer conn.Close()
	var text strings.Builder
	fmt.Fprintf(&text, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&text, "$%d\r\n%s\r\n", len(word), word)
	}
	if err := conn.SetDeadline(time.Now().Add(harness.Patience)); err != nil {
		return ""
	}
	if _, err := io.WriteString(conn, text.String()); err != nil {
		return ""
	}
	return answer(bufio.NewReader(conn))
}

// answer reads one of RESP (redis.io/docs/latest/develop/reference/protocol-spec).
func answer(in *bufio.Reader) string {
	line, err := in.ReadString('\n')
	if err != nil || len(line) < 3 {
		return ""
	}
	kind, text := line[0], strings.TrimSuffix(line[1:], "\r\n")
	length, _ := strconv.Atoi(text)
	switch {
	case kind == '$' && length >= 0:
		value := make([]byte, length+len("\r\n"))
		if _, err := io.ReadFull(in, value); err != nil {
			return ""
		}
		return string(value[:length])
	case kind == '*':
		var lines []string
		for range length {
			lines = append(lines, answer(in))
		}
		return strings.Join(lines, "\n")
	case length < 0 && kind == '$':
		return ""
	}
	return text
}

// Size is how many keys it has.
func (r *Redis) Size() int {
	n, _ := strconv.Atoi(r.Ask("DBSIZE"))
	return n
}
