package main

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/tests/harness"
)

// Whoever is there, or nobody: one clear line, and a status that says so.
func TestDoctorReachesNobody(t *testing.T) {
	serve := func(handle func(net.Conn)) string { return harness.Listen(t, handle).String() }
	pipe, others := filepath.Join(t.TempDir(), "pipe"), filepath.Join(t.TempDir(), "record")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(others, []byte(`{"format": 1, "target": "\u001b[31mred"}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no target":         {nil, "HOST:PORT is missing"},
		"no port":           {[]string{"localhost"}, "not HOST:PORT"},
		"no host":           {[]string{"host.invalid:443"}, "no such host"},
		"nobody":            {[]string{"127.0.0.1:1"}, "connection refused"},
		"closes at once":    {[]string{serve(func(net.Conn) {})}, "no handshake: the server closed the connection"},
		"no TLS":            {[]string{serve(func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n") })}, "no handshake: "},
		"says nothing":      {[]string{serve(func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })}, "does not answer"},
		"says very little":  {[]string{serve(drip)}, "does not answer"},
		"garbage for ever":  {[]string{serve(func(c net.Conn) { _, _ = io.Copy(c, zeros{}) })}, "no handshake: "},
		"another protocol":  {[]string{"127.0.0.1:1", "--starttls", "gopher"}, "allowed: smtp, imap"},
		"another fact":      {[]string{"127.0.0.1:1", "--expect", "nothing>1"}, "allowed: resumed"},
		"another server":    {[]string{"127.0.0.1:1", "--server", "iis"}, "allowed: nginx"},
		"no time":           {[]string{"127.0.0.1:1", "--for", "-1m"}, "--for is a time"},
		"too fast":          {[]string{"127.0.0.1:1", "--rate", "0"}, "from 1 to"},
		"no record of ours": {[]string{"127.0.0.1:1", "--since", "doctor_test.go"}, "no record of gosess doctor"},
		"a pipe":            {[]string{"127.0.0.1:1", "--since", pipe}, "not a regular file"},
		"a device":          {[]string{"127.0.0.1:1", "--since", "/dev/zero"}, "not a regular file"},
		"another's record":  {[]string{"127.0.0.1:1", "--since", others}, `a record of "\x1b[31mred", not of "127.0.0.1:1"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // two of them take the time that a server is given to answer
			r := bounded(t, 0, append([]string{"doctor"}, c.args...)...)
			if r.status != 2 || r.stdout != "" || !strings.Contains(r.stderr, c.want) || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("%+v, want %q", r, c.want)
			}
		})
	}
	t.Cleanup(func() {
		if found, _ := filepath.Glob("doctor_test.go.*"); found != nil {
			t.Errorf("left: %q", found)
		}
	})
}

// What was found out is told where no record of it can be left, and the status says that.
func TestDoctorLeavesNoRecord(t *testing.T) {
	t.Parallel()
	r := bounded(t, 0, "doctor", tlsService(t), "--rate", "1000", "--since", "/proc/no/such/folder")
	if r.status != 2 || !strings.Contains(r.stdout, " resumed") || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "/proc/no/such") {
		t.Errorf("%+v", r)
	}
}

// drip sends a record that would be a large one, a byte now and then.
func drip(conn net.Conn) {
	for _, err := io.WriteString(conn, "\x16\x03\x03\x40\x00"); err == nil; _, err = io.WriteString(conn, "\x00") {
		time.Sleep(10 * time.Millisecond)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(bytes []byte) (int, error) {
	clear(bytes)
	return len(bytes), nil
}
