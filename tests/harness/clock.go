package harness

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Clock is what servers take for the time, all but the Go half of gosess: it stands where a test sets it.
type Clock struct {
	Now int64 // unix seconds

	t             *testing.T
	file, library string
}

// NewClock is one in a directory of a server, that shows the time at which it is made.
func NewClock(t *testing.T, dir string) *Clock {
	t.Helper()
	c := &Clock{t: t, file: filepath.Join(dir, "clock"), library: filepath.Join(dir, "clock.so")}
	if err := SharedObject(c.library, "tests/harness/testdata/clock.c"); err != nil {
		t.Fatal(err)
	}
	c.Set(time.Now().Unix())
	return c
}

// Set sets it for all who look at it.
func (c *Clock) Set(now int64) {
	c.t.Helper()
	c.Now = now
	file, err := os.OpenFile(c.file, os.O_WRONLY|os.O_CREATE, 0o644) // not truncated: they have mapped it
	if err != nil {
		c.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(binary.NativeEndian.AppendUint64(nil, uint64(now))); err != nil {
		c.t.Fatal(err)
	}
}

// For is the environment of a server, which begins with LD_PRELOAD, whose clock is so many seconds ahead of this one.
func (c *Clock) For(env []string, apart int) []string {
	return append([]string{env[0] + ":" + c.library, "CLOCK=" + c.file, fmt.Sprint("CLOCK_APART=", apart)}, env[1:]...)
}

// ChainsEnd follows chains of TLS 1.3 tickets at a server that lets sessions last seven days: each is resumed, and leads to another
// ticket, all the time until the second before its end, and none a second after it. Its store counts those whose chain is over.
func ChainsEnd(t *testing.T, clock *Clock, env []string, port int) {
	t.Helper()
	const lasts = 7 * 24 * 3600
	file := filepath.Join(t.TempDir(), "tickets")
	come := func(arguments ...string) Result {
		t.Helper()
		r, err := Load(port, append(arguments, "--tls", "1.3", "--once", "--save", file)...)
		if err != nil || r.Errors != 0 {
			t.Fatalf("%v %+v", err, r)
		}
		return r
	}
	// A server takes the jump for the end of its own timeouts, and may close connections that it has just accepted.
	set := func(now int64) {
		t.Helper()
		clock.Set(now)
		if err := WaitFor("the server to serve after the clock's jump", func() bool {
			r, err := Load(port, "--tls", "1.2", "--sessions", "16", "--threads", "4", "--attempts", "0")
			return err == nil && r.Errors == 0
		}); err != nil {
			t.Fatal(err)
		}
	}
	// On a busy machine the first handshakes of a process may not wait for the Go half: what the server's own key has
	// sealed is no chain of ours.
	if err := WaitFor("all tickets to be sealed under shared keys", func() bool {
		set(clock.Now)
		before, _ := readTicketCounts(storeOf(env, nil))
		r := come("--sessions", "4", "--attempts", "0")
		after, err := readTicketCounts(storeOf(env, nil))
		return err == nil && r.Tickets > 0 && after.TicketsMade-before.TicketsMade == uint64(r.Tickets)
	}); err != nil {
		t.Fatal(err)
	}
	begin := clock.Now
	for clock.Now < begin+lasts-1 {
		set(min(clock.Now+7*3600, begin+lasts-1))
		if r := come("--load", file, "--attempts", "4"); r.Resumed != 4 || r.Tickets < 4 {
			t.Errorf("%d s after the start: %+v", clock.Now-begin, r)
		}
	}
	set(begin + lasts + 1)
	if r := come("--load", file, "--attempts", "4"); r.Attempts != 4 || r.Resumed != 0 {
		t.Errorf("a second too late: %+v", r)
	}
	counts, err := readTicketCounts(storeOf(env, nil))
	if err != nil || counts.TicketsEnded != 4 || counts.TicketsRefused+counts.TicketsUnknown != 0 {
		t.Errorf("the store says %+v; %v", counts, err)
	}
}
