package fleet_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gosess/tests/harness"
)

// sessionKeys are the keys of sessions in the far store.
func (f *machines) sessionKeys() (keys []string) {
	for _, key := range strings.Split(f.redis.Ask("KEYS", "gosess:*"), "\n") {
		if key != "" && f.redis.Ask("TYPE", key) == "string" {
			keys = append(keys, key)
		}
	}
	return keys
}

// TestHostileValues puts into the far store what its owner might, under the keys of sessions: each is a miss, and no handshake fails.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	const sessions = 20
	f := newMachines(t, nginx, 2)
	a, b := f.all[0], f.all[1]
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	noise := func(length int) []byte {
		some := make([]byte, length)
		for i := range some {
			some[i] = byte(random.Uint32())
		}
		return some
	}
	stranger := f.valueOfStrangers()
	for name, change := range map[string]func(values [][]byte, i int) []byte{
		"random":        func(values [][]byte, i int) []byte { return noise(len(values[i])) },
		"swapped":       func(values [][]byte, i int) []byte { return values[(i+1)%len(values)] },
		"cut":           func(values [][]byte, i int) []byte { return values[i][:len(values[i])*i/len(values)] },
		"longer":        func(values [][]byte, i int) []byte { return append(bytes.Clone(values[i]), noise(1+i*i*100)...) },
		"one byte":      func(values [][]byte, i int) []byte { return flipped(values[i], bound(random.IntN(len(values[i])-4))) },
		"first bytes":   func(values [][]byte, i int) []byte { return flipped(values[i], bound(i)) },
		"another fleet": func(values [][]byte, i int) []byte { return []byte(stranger) },
	} {
		f.redis.Ask("FLUSHALL")
		file := f.visit(a, "1.2", sessions)
		keys := f.sessionKeys()
		values := make([][]byte, len(keys))
		for i, key := range keys {
			values[i] = []byte(f.redis.Ask("GET", key))
		}
		if len(keys) != sessions || len(values[0]) < 100 {
			t.Fatalf("%s: %d keys, a value of %d bytes", name, len(keys), len(values[0]))
		}
		for i, key := range keys {
			if said := f.redis.Ask("SET", key, string(change(values, i)), "KEEPTTL"); said != "OK" {
				t.Errorf("%s: %s", name, said)
			}
		}
		f.misses(name, b, file, sessions)
		f.told(b) // of the sessions that it has made then
		f.resumes(a, "1.2", file, sessions)
	}
}

// flipped has one bit of a byte changed: also in the first ones, where the version is.
func flipped(value []byte, at int) []byte {
	value = bytes.Clone(value)
	value[at] ^= 1
	return value
}

// bound leaves out the four bytes of a value that no seal is bound to (agent/internal/far): when it was made, for who flushes.
func bound(at int) int {
	if at >= 5 {
		return at + 4
	}
	return at
}

// misses wants none of the sessions resumed, and all handshakes done.
func (f *machines) misses(name string, m *machine, file string, sessions int) {
	f.t.Helper()
	if r := f.offer(m, "1.2", file, sessions); r.Resumed != 0 || r.Handshakes != sessions || r.Errors != 0 {
		f.t.Errorf("%s: %d of %d resumed, %d errors: %s", name, r.Resumed, sessions, r.Errors, r.Said)
	}
}

// valueOfStrangers is a session of a fleet with another key file that has the same far store.
func (f *machines) valueOfStrangers() string {
	f.t.Helper()
	others := &machines{t: f.t, kind: nginx, redis: f.redis, far: f.far}
	others.start(1)
	had := f.sessionKeys()
	others.visit(others.all[0], "1.2", 1)
	for _, key := range f.sessionKeys() {
		if !slices.Contains(had, key) {
			return f.redis.Ask("GET", key)
		}
	}
	f.t.Fatal("there is no session of strangers")
	return ""
}

// TestOldValues puts sessions back that have ended, with a new end as far as the far store is concerned, and as far as the value says.
func TestOldValues(t *testing.T) {
	t.Parallel()
	const sessions = 10
	f := newMachines(t, with("nginx with sessions that end soon", func(n *harness.Nginx) { n.Sites[0].Directives = "ssl_session_timeout 2s;" }), 2)
	a, b := f.all[0], f.all[1]
	for _, prolong := range []bool{false, true} {
		var file string
		var values map[string]string
		f.wait("sessions in the far store, before they end", func() bool {
			values = map[string]string{}
			had := f.sessionKeys()
			file = f.visit(a, "1.2", sessions)
			for _, key := range f.sessionKeys() {
				if value := f.redis.Ask("GET", key); value != "" && !slices.Contains(had, key) {
					values[key] = value
				}
			}
			return len(values) == sessions
		})
		f.wait("the end of the sessions", func() bool { return f.offer(a, "1.2", file, sessions).Resumed == 0 })
		for key, value := range values {
			old := []byte(value)
			if prolong && len(old) > 5 {
				binary.LittleEndian.PutUint32(old[1:], uint32(time.Now().Add(time.Hour).Unix()))
			}
			f.redis.Ask("SET", key, string(old), "EX", "1000")
		}
		f.misses(fmt.Sprint("old, prolonged: ", prolong), b, file, sessions)
	}
}

// TestHostileSecrets has the secrets of tickets be no such thing for a machine that begins: its processes make their own.
func TestHostileSecrets(t *testing.T) {
	t.Parallel()
	f := newMachines(t, sharedTickets, 1)
	file := f.save(f.all[0], "1.2", 20)
	f.wait("secrets in the far store", func() bool { return f.redis.Size() >= 2 })
	for _, key := range f.sessionKeys() {
		value := []byte(f.redis.Ask("GET", key))
		f.redis.Ask("SET", key, string(flipped(value, len(value)/2)), "KEEPTTL")
	}
	f.add()
	f.misses("a secret that was changed", f.all[1], file, 20)
	if r := f.offer(f.all[1], "1.2", f.save(f.all[1], "1.2", 20), 20); r.Resumed == 0 || r.Errors != 0 {
		t.Errorf("%d tickets of its own resumed, %d errors: %s", r.Resumed, r.Errors, r.Said)
	}
}
