package fleet_test

import (
	"crypto/tls"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"gosess/tests/harness"
)

// A guest is a client of TLS 1.3 that keeps the first ticket that it gets.
type guest struct {
	t      *testing.T
	ticket *tls.ClientSessionState
}

// Get implements tls.ClientSessionCache.
func (g *guest) Get(string) (*tls.ClientSessionState, bool) { return g.ticket, g.ticket != nil }

// Put implements tls.ClientSessionCache.
func (g *guest) Put(_ string, ticket *tls.ClientSessionState) {
	if g.ticket == nil {
		g.ticket = ticket
	}
}

var errDislike = errors.New("the client does not like it")

// comes comes to a machine, and reports whether it was resumed. A guest that breaks off does so with a fatal alert, for which
// the server gives the session up.
func (g *guest) comes(m *machine, breaksOff bool) (resumed bool) {
	g.t.Helper()
	config := &tls.Config{ServerName: "first.test", InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, ClientSessionCache: g}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if resumed = state.DidResume; breaksOff {
			return errDislike
		}
		return nil
	}
	conn, err := tls.Dial("tcp", m.address, config)
	if breaksOff && errors.Is(err, errDislike) {
		return resumed
	}
	if err != nil {
		g.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		g.t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		g.t.Error(err)
	}
	return resumed
}

// breakOff has guests break off at a machine.
func (f *machines) breakOff(m *machine, guests []*guest) {
	f.t.Helper()
	for _, g := range guests {
		if !g.comes(m, true) {
			f.t.Error("not resumed where it was made")
		}
	}
}

// flush drops all sessions of a machine.
func (f *machines) flush(m *machine) {
	f.t.Helper()
	top, err := harness.Root()
	if err != nil {
		f.t.Fatal(err)
	}
	program := workshop.Compile(f.t, "flush", "cc", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Lbuild", "tests/fleet/programs/flush.c", "-lgosess",
		"-Wl,--no-as-needed", "-lssl", "-lcrypto") // gosess wants a libssl
	environment := []string{"LD_LIBRARY_PATH=" + filepath.Join(top, "build")}
	if said, errors, err := harness.Execute(environment, program, "shm:"+m.store+"?size=4m&fleet&keys="+f.keys); err != nil {
		f.t.Errorf("%v: %s%s", err, said, errors)
	}
}

// TestRemovals removes sessions at one machine, and then all that it has, while the far store is away: when that is there again they are
// gone everywhere, also where they were near.
func TestRemovals(t *testing.T) {
	t.Parallel()
	f := newMachines(t, nginx, 3)
	a := f.all[0]
	for _, c := range []struct {
		name   string
		remove func([]*guest)
	}{
		{"removed", func(guests []*guest) { f.breakOff(a, guests) }},
		{"flushed", func([]*guest) { f.flush(a) }}, // the last one: what is made soon after it is nobody's but its machine's
	} {
		name, remove := c.name, c.remove
		guests := f.guests(10)
		f.redis.Host.Wire.Cut(true)
		for _, m := range f.all {
			f.wait("a machine that knows it", func() bool { return !m.asks(t) })
		}
		began := time.Now()
		remove(guests)
		time.Sleep(time.Until(began.Add(time.Duration(count(0, 0, 10)) * time.Second)))
		f.redis.Host.Wire.Cut(false)
		for _, m := range f.all {
			f.wait("a machine that has the far store again", func() bool { return m.asks(t) })
		}
		back := time.Now()
		for _, m := range f.all {
			for _, g := range guests {
				f.wait("a session that is gone", func() bool { return !g.comes(m, false) })
			}
		}
		t.Logf("%s: gone everywhere %v after all machines had the far store again", name, time.Since(back).Round(time.Millisecond))
		for _, m := range f.all {
			for _, g := range guests {
				if g.comes(m, false) {
					t.Errorf("%s: it is there again", name)
				}
			}
		}
	}
}

// guests have sessions of the first machine that are near the others too.
func (f *machines) guests(count int) []*guest {
	f.t.Helper()
	guests := make([]*guest, count)
	for i := range guests {
		guests[i] = &guest{t: f.t}
		guests[i].comes(f.all[0], false)
	}
	f.told(f.all[0])
	for _, m := range f.all[1:] {
		for _, g := range guests {
			f.wait("a session near another machine", func() bool { return g.comes(m, false) })
		}
	}
	return guests
}
