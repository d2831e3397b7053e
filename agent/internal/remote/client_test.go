package remote

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/journal"
	"gosess/agent/internal/options"
	"gosess/agent/internal/testredis"
	"gosess/tests/versions"
)

// A machine is a client, with what it has said.
type machine struct {
	*Client
	t  *testing.T
	mu sync.Mutex // protects what follows
	up bool
	ups,
	downs int
	said     bytes.Buffer
	messages []string
}

func (m *machine) heard(message []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = append(m.messages, string(message))
}

func (m *machine) hasHeard(message string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(m.messages, message)
}

func (m *machine) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.said.Write(b)
}

func (m *machine) log() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.said.String()
}

func (m *machine) isUp() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.up
}

func start(t *testing.T, url string) *machine {
	t.Helper()
	f, err := options.ParseFar(url)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := f.Read(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t}
	m.Client = New(f, secrets, journal.New(m, func(string) string { return "" }), func(up bool, _ time.Time, _ time.Duration) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if up && !m.up {
			m.ups++
		} else if !up && m.up {
			m.downs++
		}
		m.up = up
	}, m.heard)
	m.Start()
	t.Cleanup(m.Close)
	return m
}

func (m *machine) waitUp() {
	m.t.Helper()
	testredis.WaitFor(m.t, "a connection", m.isUp)
}

func (m *machine) waitDown() {
	m.t.Helper()
	testredis.WaitFor(m.t, "the end of the connection", func() bool { return !m.isUp() })
}

func (m *machine) waitSays(text string) {
	m.t.Helper()
	defer func() {
		if m.t.Failed() {
			m.t.Logf("it said: %s", m.log())
		}
	}()
	testredis.WaitFor(m.t, "a log line with "+text, func() bool { return strings.Contains(m.log(), text) })
}

func (m *machine) one(op far.Op) far.Op {
	ops := []far.Op{op}
	m.Do(ops)
	return ops[0]
}

func (m *machine) put(key far.Key, text string, life int64) error {
	return m.one(far.Op{Kind: far.Put, Key: key, Entry: entry(text, life)}).Err
}

// get asks as servers do.
func (m *machine) get(kind far.Kind, key far.Key) (text string, err error) {
	ops, answered := []far.Op{{Kind: kind, Key: key}}, make(chan struct{})
	m.Ask(ops, func() { close(answered) })
	<-answered
	op := ops[0]
	if !op.Found {
		return "", op.Err
	}
	return string(op.Entry.Sealed), op.Err
}

func entry(text string, life int64) far.Entry {
	now := time.Now().Unix()
	return far.Entry{Sealed: []byte(text), Expires: far.Seconds(now + life), Made: far.Seconds(now)}
}

func keyOf(i int) (k far.Key) {
	copy(k[:], fmt.Sprintf("%016x", i*7919))
	return k
}

func (m *machine) wants(kind far.Kind, key far.Key, want string) {
	m.t.Helper()
	if got, err := m.get(kind, key); got != want || err != nil {
		m.t.Errorf("found %q, %v; wanted %q", got, err, want)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	operate(t, testredis.Start(t))
}

// TestValkey is the same with Debian 13's Valkey.
func TestValkey(t *testing.T) {
	t.Parallel()
	valkey := testredis.StartIn(t, versions.Valkey(t).Root, "/usr/bin/valkey-server")
	if about := valkey.CLI("INFO", "server"); !strings.Contains(about, "valkey_version:8.") {
		t.Errorf("it is %s", about)
	}
	operate(t, valkey)
}

func operate(t *testing.T, redis *testredis.Server) {
	t.Helper()
	for _, url := range []string{redis.URL(), "unix://" + redis.Socket() + "?db=3"} {
		a, b := start(t, url), start(t, url)
		a.waitUp()
		b.waitUp()
		a.put(keyOf(1), "one", 100)
		b.wants(far.Get, keyOf(1), "one")
		b.wants(far.Take, keyOf(1), "one")
		a.wants(far.Take, keyOf(1), "")
		a.wants(far.Get, keyOf(1), "")
		a.put(keyOf(2), "two", 100)
		b.one(far.Op{Kind: far.Remove, Key: keyOf(2)})
		a.wants(far.Get, keyOf(2), "")
		if op := a.one(far.Op{Kind: far.Add, Key: keyOf(3), Entry: entry("mine", 100)}); !op.Found || string(op.Entry.Sealed) != "mine" {
			t.Errorf("added: %+v", op)
		}
		if op := b.one(far.Op{Kind: far.Add, Key: keyOf(3), Entry: entry("theirs", 100)}); !op.Found || string(op.Entry.Sealed) != "mine" {
			t.Errorf("added where there is one: %+v", op)
		}
		there := b.one(far.Op{Kind: far.Add, Key: keyOf(3), Entry: entry("theirs", 100)}).There
		for _, c := range []struct {
			there []byte
			want  string
		}{{append(bytes.Clone(there), 'x'), "mine"}, {nil, "mine"}, {there, "theirs"}, {there, "theirs"}} {
			if op := b.one(far.Op{Kind: far.Replace, Key: keyOf(3), There: c.there, Entry: entry("theirs", 100)}); string(op.Entry.Sealed) != c.want {
				t.Errorf("replaced %q: %+v", c.there, op)
			}
			a.wants(far.Get, keyOf(3), c.want)
		}
		b.one(far.Op{Kind: far.Replace, Key: keyOf(6), There: there, Entry: entry("six", 100)})
		a.wants(far.Get, keyOf(6), "six")
		a.put(keyOf(4), "ended", -2)
		b.wants(far.Get, keyOf(4), "")
		ops := []far.Op{{Kind: far.Put, Key: keyOf(5), Entry: entry("five", 100)}, {Kind: far.Take, Key: keyOf(5)}, {Kind: far.Get, Key: keyOf(5)}}
		a.Do(ops)
		if string(ops[1].Entry.Sealed) != "five" || ops[2].Found {
			t.Errorf("in their order: %+v", ops)
		}
	}
}

// TestEntriesEnd looks that a store forgets them by itself.
func TestEntriesEnd(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitUp()
	m.put(keyOf(1), "short", 0)
	m.put(keyOf(2), "long", 1000)
	testredis.WaitFor(t, "the end of an entry", func() bool { return redis.CLI("DBSIZE") == ":1\r\n" })
	m.wants(far.Get, keyOf(2), "long")
}

// TestHostileValues puts under a key what is no entry.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitUp()
	e := entry("sealed", 100)
	good := e.Append(nil)
	old := entry("sealed", -100)
	otherVersion := append([]byte{version(good) + 1}, good[1:]...)
	for i, value := range [][]byte{nil, {}, {1}, good[:9], otherVersion, old.Append(nil), bytes.Repeat([]byte{0xff}, 100),
		append(good, make([]byte, far.MaxSealed)...)} {
		redis.CLI("SET", m.keys.of(keyOf(i)), string(value))
		m.wants(far.Get, keyOf(i), "")
		m.wants(far.Take, keyOf(i), "")
	}
	redis.CLI("LPUSH", m.keys.of(keyOf(99)), "a")
	if got, err := m.get(far.Get, keyOf(99)); got != "" || err == nil {
		t.Errorf("of a list: %q, %v", got, err)
	}
	redis.CLI("SET", m.keys.of(keyOf(7)), string(good))
	m.wants(far.Get, keyOf(7), "sealed")
}

func version(value []byte) byte { return value[0] }

// TestFaults takes the store away in several ways, and wants answers to whoever asks meanwhile, and a connection after it.
func TestFaults(t *testing.T) {
	for name, fault := range map[string]struct{ begin, end func(*testredis.Server) }{
		"stopped": {func(s *testredis.Server) { s.Signal(syscall.SIGSTOP) }, func(s *testredis.Server) { s.Signal(syscall.SIGCONT) }},
		"killed":  {(*testredis.Server).Kill, (*testredis.Server).Run},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := testredis.Start(t)
			m := start(t, redis.URL())
			m.waitUp()
			fault.begin(redis)
			var asking sync.WaitGroup
			var away atomic.Int32
			for i := range 1000 { // more than may wait
				asking.Go(func() {
					if got, err := m.get(far.Get, keyOf(i)); got != "" || err == nil && name == "killed" {
						t.Errorf("asked: %q, %v", got, err)
					}
					if op := m.one(far.Op{Kind: far.Get, Key: keyOf(i)}); op.Found || op.Err == nil && name == "killed" {
						t.Errorf("asked: %+v", op)
					} else if op.Err == far.ErrAway {
						away.Add(1)
					}
				})
			}
			m.waitDown()
			asking.Wait() // nobody waits for longer than that
			if n := away.Load(); n < 1000-maxWaiting {
				t.Errorf("more than %d were waiting: only %d were sent away", maxWaiting, n)
			}
			if err := m.put(keyOf(1), "meanwhile", 100); err != far.ErrAway {
				t.Errorf("put meanwhile: %v", err)
			}
			fault.end(redis)
			m.waitUp()
			m.put(keyOf(1), "one", 100)
			m.wants(far.Get, keyOf(1), "one")
			if waiting := m.waiting.Load(); waiting != 0 {
				t.Errorf("%d calls have not returned", waiting)
			}
		})
	}
}

// TestWrongServers connects to what is no store, or not this agent's.
func TestWrongServers(t *testing.T) {
	t.Parallel()
	locked := testredis.Start(t, "--requirepass", "geheim")
	full := testredis.Start(t, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	folder := t.TempDir()
	right, wrong := filepath.Join(folder, "right"), filepath.Join(folder, "wrong")
	os.WriteFile(right, []byte("geheim\n"), 0o600)
	os.WriteFile(wrong, []byte("falsch\n"), 0o600)
	for _, c := range []struct{ name, url, says string }{
		{"no password", locked.URL(), "does not accept the user or password"},
		{"wrong password", locked.URL() + "?password=" + wrong, "does not accept the user or password"},
		{"nobody listens", fmt.Sprintf("redis://127.0.0.1:%d", testredis.FreePort(t)), "connection refused"},
		{"no such name", "redis://no-such-host.invalid", "no-such-host.invalid"},
		{"garbage", serveGarbage(t, "HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak as Valkey or Redis does"},
		{"a length below zero", serveGarbage(t, "$-7\r\n"), "does not speak as Valkey or Redis does"},
		{"a length of gigabytes", serveGarbage(t, "$2147483647\r\n"), "does not speak as Valkey or Redis does"},
		{"answers to nothing", serveGarbage(t, strings.Repeat("+OK\r\n", 50)), "does not speak as Valkey or Redis does"},
		{"no cluster", full.URL() + "?cluster", "no part of a cluster"},
		{"no TLS", strings.Replace(full.URL(), "redis:", "rediss:", 1), "TLS with 127.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := start(t, c.url)
			m.waitSays(c.says)
			if strings.Contains(m.log(), "geheim") || strings.Contains(m.log(), "falsch") {
				t.Errorf("a password is in the log: %s", m.log())
			}
			if _, err := m.get(far.Get, keyOf(1)); err != far.ErrAway {
				t.Errorf("asked: %v", err)
			}
		})
	}
	t.Run("right password", func(t *testing.T) {
		m := start(t, locked.URL()+"?password="+right)
		m.waitUp()
	})
	t.Run("memory is full", func(t *testing.T) {
		m := start(t, full.URL())
		m.waitUp()
		if err := m.put(keyOf(1), "one", 100); err != far.ErrRefused {
			t.Errorf("put: %v", err)
		}
		m.wants(far.Get, keyOf(1), "")
		m.waitSays("its memory is full")
	})
}

// serveGarbage answers whatever it is told with the same.
func serveGarbage(t *testing.T, text string) (url string) {
	t.Helper()
	return fmt.Sprintf("redis://127.0.0.1:%d", listen(t, func(_ int, c net.Conn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}))
}
