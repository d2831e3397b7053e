package stunnel_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"gosess/tests/harness"
)

// backend is a server without TLS that counts who is let through to it.
type backend struct {
	port  int
	calls atomic.Int64
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{port: listener.Addr().(*net.TCPAddr).Port}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go b.answer(conn)
		}
	}()
	return b
}

func (b *backend) answer(conn net.Conn) {
	defer conn.Close()
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
		return
	}
	b.calls.Add(1)
	_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"))
}

// counts is how many calls each of them has had since the last time.
func counts(backends ...*backend) (calls []int64) {
	for _, b := range backends {
		calls = append(calls, b.calls.Swap(0))
	}
	return calls
}

// tried runs a test without gosess and with each store, with tickets and without, for each way of a client to come back.
func tried(t *testing.T, test func(t *testing.T, dir string, env, lines, client []string)) {
	for _, cache := range []string{"", "memory:?size=4m", "shm:?size=4m", "shm:@DIR@/store?size=4m"} {
		for _, lines := range [][]string{nil, {"options = NO_TICKET"}} {
			t.Run(fmt.Sprintf("cache %s %q", cache, lines), func(t *testing.T) {
				t.Parallel()
				harness.NeedBuild(t)
				dir := harness.TempDir(t)
				var env []string
				if cache != "" {
					var err error
					if env, err = harness.Preload(strings.ReplaceAll(cache, "@DIR@", dir)); err != nil {
						t.Fatal(err)
					}
				}
				for i, c := range harness.Clients {
					arguments := append([]string{"--tls", c.Version, "--threads", "1"}, c.Arguments...)
					test(t, filepath.Join(dir, strconv.Itoa(i)), env, lines, arguments)
				}
			})
		}
	}
}

// start starts a stunnel in a directory that is made, and returns the port of a service with these lines.
func start(t *testing.T, dir string, env, lines, of []string) (port int) {
	t.Helper()
	pem := certified(t, dir, "first.test")
	p, err := newStunnel(t, dir, env, lines...)
	if err != nil {
		t.Fatal(err)
	}
	if port, err = harness.FreePort(); err != nil {
		t.Fatal(err)
	}
	of = append([]string{"[tried]", fmt.Sprint("accept = 127.0.0.1:", port), pem}, of...)
	if err := add(p.Line[1], of); err != nil {
		t.Fatal(err)
	}
	harness.StartFor(t, p.Subject())
	return port
}

func come(t *testing.T, port int, arguments ...string) harness.Result {
	t.Helper()
	got, err := harness.Load(port, arguments...)
	if err != nil || got.Errors != 0 {
		t.Fatalf("%v: %+v %v", arguments, got, err)
	}
	return got
}

// Nobody gets past "redirect" by coming again: whom no authority vouches for is sent elsewhere each time, as without gosess, and
// whom one does is let in each time.
func TestRedirect(t *testing.T) {
	tried(t, func(t *testing.T, dir string, env, lines, client []string) {
		inside, elsewhere := newBackend(t), newBackend(t)
		certified(t, dir, "first.test")
		authority, member := harness.ClientOf(t, filepath.Join(dir, "members"))
		_, stranger := harness.ClientOf(t, filepath.Join(dir, "strangers"))
		port := start(t, dir, env, lines, []string{fmt.Sprint("connect = 127.0.0.1:", inside.port), "verifyChain = yes",
			"CAfile = " + authority, fmt.Sprint("redirect = 127.0.0.1:", elsewhere.port)})
		const sessions, attempts = 5, 20
		often := []string{"--sessions", strconv.Itoa(sessions), "--attempts", strconv.Itoa(attempts)}
		for who, want := range map[*[]string][]int64{&stranger: {0, sessions + attempts}, &member: {sessions + attempts, 0}} {
			got := come(t, port, slices.Concat(often, client, *who)...)
			if calls := counts(inside, elsewhere); calls[0] != want[0] || calls[1] != want[1] {
				t.Errorf("%v, resumed %d of %d: let in %d times and sent elsewhere %d times, not %v",
					client, got.Resumed, got.Attempts, calls[0], calls[1], want)
			}
		}
	})
}

// Who comes back with a session that is no ticket is served by the backend that served it, as without gosess; of two new ones
// each is served by another.
func TestPersistence(t *testing.T) {
	tried(t, func(t *testing.T, dir string, env, lines, client []string) {
		one, two := newBackend(t), newBackend(t)
		port := start(t, dir, env, lines, []string{"failover = rr", fmt.Sprint("connect = 127.0.0.1:", one.port),
			fmt.Sprint("connect = 127.0.0.1:", two.port)})
		if lines == nil && !slices.Contains(client, "--no-ticket") {
			return // stunnel can keep nothing with a ticket
		}
		var first []int64
		for range 4 {
			got := come(t, port, append(slices.Clone(client), "--sessions", "1", "--attempts", "6")...)
			calls := counts(one, two)
			// Of TLS 1.3 stunnel by itself resumes a session once.
			if slices.Contains(client, "1.2") && got.Resumed != got.Attempts {
				t.Errorf("%v, resumed %d of %d", client, got.Resumed, got.Attempts)
			}
			if got.Resumed == got.Attempts && calls[0] != 0 && calls[1] != 0 {
				t.Errorf("%v, resumed %d of %d: one backend had %d calls, the other %d", client, got.Resumed, got.Attempts, calls[0], calls[1])
			}
			first = append(first, calls[0])
		}
		if slices.Contains(client, "1.2") && (slices.Min(first) != 0 || slices.Max(first) == 0) {
			t.Errorf("%v: the backends do not take turns: %v", client, first)
		}
	})
}

// A session that was made without a name is resumed under any, as without gosess: libssl looks for it before stunnel goes by the
// name. Of such a client the service of the name demands no certificate.
func TestSessionWithoutName(t *testing.T) {
	tried(t, func(t *testing.T, dir string, env, lines, client []string) {
		certified(t, dir, "first.test")
		authority, _ := harness.ClientOf(t, filepath.Join(dir, "members"))
		port := start(t, dir, env, lines, []string{fmt.Sprint("connect = 127.0.0.1:", newBackend(t).port), "[named]",
			"sni = tried:second.test", fmt.Sprint("connect = 127.0.0.1:", newBackend(t).port), "verifyChain = yes", "CAfile = " + authority,
			certified(t, filepath.Join(dir, "second"), "second.test")})
		of := filepath.Join(dir, "sessions")
		come(t, port, append(slices.Clone(client), "--sessions", "5", "--attempts", "0", "--save", of)...)
		got := come(t, port, append(slices.Clone(client), "--sni", "second.test", "--load", of, "--attempts", "5")...)
		if got.Resumed != got.Attempts {
			t.Errorf("%v: resumed %d of %d", client, got.Resumed, got.Attempts)
		}
	})
}
