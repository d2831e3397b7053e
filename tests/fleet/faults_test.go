package fleet_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache/window"
	"gosess/tests/fleet/network"
	"gosess/tests/harness"
)

// under has clients make sessions and resume them at a machine while faults happen, until they have: no handshake may fail.
func (f *machines) under(m *machine, faults func()) {
	f.t.Helper()
	var clients sync.WaitGroup
	ended := make(chan struct{})
	for _, version := range []string{"1.2", "1.3"} {
		clients.Go(func() {
			for {
				r, err := harness.LoadAt(m.address, "--tls", version, "--threads", "2", "--sessions", "4", "--attempts", "20")
				if err != nil || r.Errors != 0 {
					f.t.Errorf("TLS %s: %d errors, %v: %s", version, r.Errors, err, r.Said)
				}
				select {
				case <-ended:
					return
				case <-time.After(50 * time.Millisecond): // other tests want the cores too
				}
			}
		})
	}
	defer clients.Wait()
	defer close(ended)
	faults()
}

// A fault takes the far store away from the agents, or makes it less than it should be.
type fault struct {
	name       string
	begin, end func(f *faulty)
	reads      bool // what it has it still gives in time; else servers stop to wait for it
	unsure     bool // it may be either
}

// faulty are machines whose far store has faults.
type faulty struct {
	*machines
	host    *network.Host
	names   *names
	shows   map[string]harness.Certificate // what the store may show
	garbage func(text string)              // what is in the place of the store begins to talk
	silence func()
}

func (f *faulty) ask(words ...string) {
	f.t.Helper()
	if said := f.redis.Ask(words...); !strings.HasPrefix(said, "OK") && words[0] != "CLIENT" {
		f.t.Errorf("%s: %s", strings.Join(words, " "), said)
	}
}

// away ends the connections of the agents after a change, so that they notice.
func (f *faulty) away() { f.ask("CLIENT", "KILL", "TYPE", "normal") }

// plainFaults are those of a store without TLS.
var plainFaults = []fault{
	{name: "stopped", begin: func(f *faulty) { f.redis.Process().Signal(syscall.SIGSTOP) }, end: func(f *faulty) { f.redis.Process().Signal(syscall.SIGCONT) }},
	{name: "killed", begin: func(f *faulty) { f.redis.Kill() }, end: (*faulty).run},
	{name: "garbage", begin: func(f *faulty) { f.redis.Kill(); f.garbage("HTTP/1.1 400 Bad Request\r\n\r\n") }, end: func(f *faulty) { f.silence(); f.run() }},
	{name: "wrong password", begin: func(f *faulty) { f.ask("ACL", "SETUSER", "gosess", "resetpass", ">another"); f.away() },
		end: func(f *faulty) { f.ask("ACL", "SETUSER", "gosess", "resetpass", ">geheim") }},
	{name: "out of memory", reads: true, begin: func(f *faulty) { f.ask("CONFIG", "SET", "maxmemory", "1") }, end: func(f *faulty) { f.ask("CONFIG", "SET", "maxmemory", "0") }},
	// The agent looks again and again whether the name leads to another server by now.
	{name: "read-only replica", unsure: true, begin: func(f *faulty) { f.ask("REPLICAOF", "127.0.0.1", "1") }, end: func(f *faulty) { f.ask("REPLICAOF", "NO", "ONE") }},
}

// distantFaults are those of one that has a name and a certificate.
var distantFaults = []fault{
	{name: "black-holed", begin: func(f *faulty) { f.host.Wire.Cut(true) }, end: func(f *faulty) { f.host.Wire.Cut(false) }},
	{name: "5 ms away", reads: true, begin: func(f *faulty) { f.host.Wire.Away(5 * time.Millisecond) }, end: (*faulty).near},
	{name: "500 ms away", begin: func(f *faulty) { f.host.Wire.Away(500 * time.Millisecond) }, end: (*faulty).near},
	{name: "wrong certificate", begin: func(f *faulty) { f.present("stranger"); f.away() }, end: func(f *faulty) { f.present("store") }},
	{name: "DNS gone", begin: func(f *faulty) { f.names.silent.Store(true); f.away() }, end: func(f *faulty) { f.names.silent.Store(false) }},
}

func (f *faulty) near() { f.host.Wire.Away(0) }

func (f *faulty) run() {
	f.t.Helper()
	if err := f.redis.Run(); err != nil {
		f.t.Fatal(err)
	}
}

// present has the store show another certificate.
func (f *faulty) present(who string) {
	f.ask("CONFIG", "SET", "tls-cert-file", f.shows[who].Cert, "tls-key-file", f.shows[who].Key)
}

// TestFarStoreIsAway has all faults of a far store, one after the other, while clients come: none sees more of it than full handshakes,
// few of them wait, and all is as before when the fault is over.
func TestFarStoreIsAway(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		newFaulty(t, false).suffer(plainFaults)
	})
	t.Run("distant", func(t *testing.T) {
		t.Parallel()
		newFaulty(t, true).suffer(distantFaults)
	})
}

// newFaulty has a store with a user, and perhaps with a name and TLS.
func newFaulty(t *testing.T, distant bool) *faulty {
	t.Helper()
	f := &faulty{machines: &machines{t: t, kind: nginx}, host: network.NewDistant(t), shows: map[string]harness.Certificate{}}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"--maxmemory-policy", "noeviction", "--user", "gosess", "on", ">geheim", "~*", "&*", "+@all"}
	options := "?user=gosess&password=" + password
	if !distant {
		f.redis = startRedis(t, f.host, arguments...)
		f.far = f.redis.URL() + options
		f.garbage, f.silence = garbage(t, f.host, f.redis.Port)
	} else {
		ca := f.issue("store")
		f.issue("stranger")
		f.redis = startRedis(t, f.host, append(arguments, "--tls-auth-clients", "no", "--tls-ca-cert-file", ca, "--tls-cert-file", f.shows["store"].Cert,
			"--tls-key-file", f.shows["store"].Key, "--port", "0", "--tls-port", "7000")...)
		f.far = "rediss://store.test:7000" + options + "&ca=" + ca
		f.names = &names{t: t, address: net.ParseIP(f.host.Address())}
		f.through = f.names.through
	}
	f.start(2)
	return f
}

// issue makes a certificate that the store may show, by an authority of its own.
func (f *faulty) issue(who string) (ca string) {
	f.t.Helper()
	authority, err := harness.NewAuthority(f.t.TempDir())
	if err != nil {
		f.t.Fatal(err)
	}
	if f.shows[who], err = authority.Issue("store.test"); err != nil {
		f.t.Fatal(err)
	}
	return authority.CA
}

// garbage is how something takes a port of a host and says the same to everybody, and ends.
func garbage(t *testing.T, host *network.Host, port int) (begin func(text string), end func()) {
	var listener net.Listener
	begin = func(text string) {
		var err error
		if listener, err = host.Listen(port); err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Write([]byte(text))
				conn.Close()
			}
		}()
	}
	return begin, func() { listener.Close() }
}

// suffer has the faults happen to the machines.
func (f *faulty) suffer(faults []fault) {
	f.t.Helper()
	began := time.Now()
	a, b := f.all[0], f.all[1]
	f.under(a, func() {
		for _, fault := range faults {
			f.t.Run(fault.name, func(t *testing.T) {
				f := *f
				m := *f.machines
				f.machines, m.t = &m, t
				f.has(fault, a, b)
			})
		}
	})
	// A line when it begins; and then one a minute for each of five causes: it is away, it is back, and three errors of its own.
	lines := 1 + 5*(1+int(time.Since(began)/time.Minute))
	for _, m := range f.all {
		if n := strings.Count(m.agent.Log(), "\n"); n > lines {
			f.t.Errorf("an agent said too much: %s", m.agent.Log())
		}
		if said := m.server.(*harness.Nginx).Said(); len(said) > 0 {
			f.t.Errorf("a server said: %s", strings.Join(said, "\n"))
		}
	}
}

// has has one of them: b is offered what a has made, which it had not asked for before.
func (f *faulty) has(fault fault, a, b *machine) {
	f.t.Helper()
	const sessions = 20
	file := f.visit(a, "1.2", sessions)
	waits := b.count(f.t, window.CountTimeouts)
	fault.begin(f)
	switch {
	case fault.reads:
		f.resumes(b, "1.2", file, sessions)
	case fault.unsure:
		f.comes(b, file, sessions)
	default:
		f.wait("servers not to wait any longer", func() bool { f.comes(b, file, sessions); return !b.asks(f.t) })
	}
	f.resumes(a, "1.2", file, sessions) // which has them
	// Each worker may begin another wait before the fifth one is over.
	waited := b.count(f.t, window.CountTimeouts) - waits
	if workers := b.server.(*harness.Nginx).WorkerCount; waited > uint64(window.MaxStrikes+workers-1) {
		f.t.Errorf("%d handshakes waited in vain", waited)
	}
	fault.end(f)
	ended := time.Now()
	f.wait("servers to ask again", func() bool { return a.asks(f.t) && b.asks(f.t) })
	back := time.Since(ended)
	f.wait("a session that is told", func() bool {
		r := f.offer(b, "1.3", f.save(a, "1.3", 10), 10)
		return r.Resumed == 10
	})
	f.t.Logf("%s: %d waits in vain, asked again after %v", fault.name, waited, back.Round(time.Millisecond))
}

// comes has clients come with sessions: whether they are resumed or not, no handshake fails.
func (f *faulty) comes(m *machine, file string, sessions int) {
	f.t.Helper()
	if r := f.offer(m, "1.2", file, sessions); r.Errors != 0 || r.Handshakes != sessions {
		f.t.Errorf("%d errors: %s", r.Errors, r.Said)
	}
}
