package nginx_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// Do tools that others wrote see tickets that are resumed, with a lifetime that is the server's, and under no key that everybody knows? What
// they say otherwise than we do is in docs/tickets.md.
func TestOtherToolsSeeTickets(t *testing.T) {
	t.Parallel()
	dir := system.TempDir(t)
	clock := harness.NewClock(t, dir)
	s := ticketing(t, filepath.Join(dir, "store"), clock, 0, "10m")
	s.do(s.Start)
	port := strconv.Itoa(s.Port())
	t.Run("gnutls-cli", func(t *testing.T) {
		for _, version := range []string{"1.2", "1.3"} {
			said := tool(t, "gnutls-cli", "--port", port, "--insecure", "--resume", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS"+version, "127.0.0.1")
			if !strings.Contains(said, "This is a resumed session") {
				t.Errorf("TLS %s:\n%s", version, said)
			}
		}
	})
	t.Run("testssl.sh", func(t *testing.T) {
		// TLS 1.2 alone: a session is there when its handshake ends, while testssl.sh leaves a server of TLS 1.3 without waiting for its ticket.
		s.Sites[0].Directives += " ssl_protocols TLSv1.2;"
		s.do(s.Reload)
		wanted := regexp.MustCompile(`(?s)Session Ticket RFC 5077 hint +600 seconds, session tickets keys seems to be rotated < daily.*Session Resumption +Tickets: yes, ID: yes`)
		said := tool(t, "testssl", "--color", "0", "--warnings", "off", "--nodns", "min", "--ip", "127.0.0.1", "--server-defaults", "127.0.0.1:"+port)
		if !wanted.MatchString(said) {
			t.Errorf("no %q in:\n%s", wanted, said)
		}
	})
	t.Run("default keys", func(t *testing.T) {
		one, two := record(t, s.Port()), record(t, s.Port())
		for _, r := range []recorded{one, two} {
			if bytes.Equal(r.ticket[:16], make([]byte, 16)) {
				t.Error("a key without a name")
			}
			for b := range 256 { // CVE-2020-13777, and what else was seen: one byte all over
				key := bytes.Repeat([]byte{byte(b)}, 32)
				if r.open([3][]byte{key, key}) != nil {
					t.Errorf("a key of the byte %d opens a ticket", b)
				}
			}
		}
		if bytes.Equal(one.ticket[8:32], two.ticket[8:32]) {
			t.Error("two tickets begin alike")
		}
	})
}

// tool runs a program to its end, and returns all that it says. What it takes for a fault of the server, such as a
// certificate that nobody knows, is not asked.
func tool(t *testing.T, name string, arguments ...string) (said string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("make deps installs it: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), path, arguments...)
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader("GET / HTTP/1.0\r\n\r\n")
	output, _ := cmd.CombinedOutput()
	return string(output)
}
