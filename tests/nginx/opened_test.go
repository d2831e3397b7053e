package nginx_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/tests/harness"
)

// What is written here is what somebody has to do who has the store, its key and a recording of what went over the wire. It
// is not made of the code that it looks at: docs/shm-format.md, shim/tickets/derive.c and RFC 5077 say how.

// recorded is a connection of TLS 1.2: the ticket that went over the wire, and what was agreed on, as its client knows.
type recorded struct{ ticket, master []byte }

// record has a client come, and keeps the server's half of what goes over the wire.
func record(t *testing.T, port int) recorded {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wire := &tapped{Conn: conn}
	var secrets bytes.Buffer
	client := tls.Client(wire, &tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true, ServerName: "first.test",
		ClientSessionCache: tls.NewLRUClientSessionCache(1), KeyLogWriter: &secrets})
	if _, err := fmt.Fprint(client, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(client); err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(secrets.String()) // CLIENT_RANDOM, that, and the master secret
	master, err := hex.DecodeString(fields[len(fields)-1])
	if err != nil || len(master) != 48 {
		t.Fatalf("%q", secrets.String())
	}
	return recorded{ticketOf(t, wire.read.Bytes()), master}
}

// tapped is a connection that is listened to.
type tapped struct {
	net.Conn
	read bytes.Buffer
}

func (c *tapped) Read(data []byte) (int, error) {
	n, err := c.Conn.Read(data)
	c.read.Write(data[:n])
	return n, err
}

// ticketOf finds the NewSessionTicket in what a server has sent before it changed to encrypted records.
func ticketOf(t *testing.T, wire []byte) []byte {
	t.Helper()
	const handshake, newSessionTicket = 22, 4
	var messages []byte
	for len(wire) >= 5 && wire[0] == handshake {
		length := int(wire[3])<<8 | int(wire[4])
		messages, wire = append(messages, wire[5:5+length]...), wire[5+length:]
	}
	for len(messages) >= 4 {
		length := int(messages[1])<<16 | int(messages[2])<<8 | int(messages[3])
		if messages[0] == newSessionTicket {
			return messages[10 : 4+length] // its lifetime and length come first
		}
		messages = messages[4+length:]
	}
	t.Fatal("no ticket went over the wire")
	return nil
}

// material is what somebody has laid hands on.
type material struct{ store, keys []byte }

func steal(t *testing.T, path string) (m material) {
	t.Helper()
	var err error
	if m.store, err = os.ReadFile(path); err == nil {
		m.keys, err = os.ReadFile(path + ".key")
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sealingKeys are those of the store.
func (m material) sealingKeys() (keys [][]byte) {
	for line := range strings.Lines(string(m.keys)) {
		if key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line)); err == nil && len(key) == sessioncache.KeySize {
			keys = append(keys, key)
		}
	}
	return keys
}

// secrets are all that may be one: what the records hold of any period around that time, and whatever 32 bytes there are.
func (m material) secrets(t *testing.T, period, now int64) (all [][]byte) {
	t.Helper()
	keys := m.sealingKeys()
	store, err := shm.Open(bytes.Clone(m.store))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := sessioncache.New(store, keys)
	if err != nil {
		t.Fatal(err)
	}
	cache.SetClock(func() int64 { return now }) // at which nothing had expired
	for number := now/period - 10; number < now/period+10; number++ {
		for class := int64(1 << 17); class > 0; class /= 2 {
			name := fmt.Sprintf("ticket secret %d of %d s, kept %d s", number, period, min(class, 24*3600))
			values, err := cache.Record(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range values {
				all = append(all, value.Value)
			}
		}
	}
	for _, data := range append(append([][]byte{m.store, m.keys}, keys...), all...) {
		for at := 0; at+32 <= len(data); at += 8 {
			if !bytes.Equal(data[at:at+32], make([]byte, 32)) {
				all = append(all, data[at:at+32])
			}
		}
	}
	return all
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// idOf is what the tickets of a secret begin with.
func idOf(secret []byte) []byte { return mac(secret, []byte("gosess ticket: id\x00"))[:8] }

// keysOf are those of a secret for an identity.
func keysOf(secret, identity []byte) (keys [3][]byte) {
	info := append([]byte("gosess ticket: keys of "), identity...)
	var before []byte
	for i := range keys {
		keys[i] = mac(secret, before, info, []byte{byte(i + 1)})
		before = keys[i]
	}
	return keys
}

// open opens a ticket, nil where these are not its keys.
func (r recorded) open(keys [3][]byte) []byte {
	const head, tag = 32, 32
	signed, sum := r.ticket[:len(r.ticket)-tag], r.ticket[len(r.ticket)-tag:]
	if !hmac.Equal(mac(keys[1], signed), sum) {
		return nil
	}
	block, err := aes.NewCipher(keys[0])
	if err != nil {
		return nil
	}
	plain := bytes.Clone(signed[head:])
	cipher.NewCBCDecrypter(block, signed[16:head]).CryptBlocks(plain, plain)
	return plain
}

// identity is what the keys of a ticket are derived for, as it lies somewhere near the id of the secret in the memory of the worker.
func (r recorded) identity(t *testing.T, worker harness.Process, secret []byte) []byte {
	t.Helper()
	for _, data := range writable(t, worker, true) {
		for at := 0; ; at++ {
			next := bytes.Index(data[at:], idOf(secret))
			if next < 0 {
				break
			}
			at += next
			for from := max(0, at-256); from < at+256 && from+32 <= len(data); from++ {
				if r.open(keysOf(secret, data[from:from+32])) != nil {
					return data[from : from+32]
				}
			}
		}
	}
	t.Fatal("nothing in the worker's memory is what the keys were derived for")
	return nil
}

// What was said under TLS 1.2 before the secrets of tickets have ended is closed to who has recorded it, and gets hold of the store, of
// its keys and of all of a worker's memory then; and while they live nobody sees them in a core dump, the log or the store.
func TestRecordedTickets(t *testing.T) {
	t.Parallel()
	const more = 20 // seconds from now on the secrets live: the store asks the machine's clock, which this test waits for
	dir := system.TempDir(t)
	path := filepath.Join(dir, "store")
	clock := harness.NewClock(t, dir)
	period, begin, timeout, end := harness.SecretThatEnds(clock.Now + more)
	s := ticketing(t, path, clock, 0, fmt.Sprint(timeout))
	clock.Set(begin + 1)
	s.WorkerCount, s.Env = 1, append(s.Env, fmt.Sprintf("GOSESS_TICKET_PERIOD=%dm", period/60), "GOSESS_LOG=debug:"+filepath.Join(dir, "gosess.log"))
	s.do(s.Start)
	tickets := []recorded{record(t, s.Port()), record(t, s.Port()), record(t, s.Port())}
	worker, live := s.Workers()[0], steal(t, path)

	secret := theSecretOf(tickets[0], live.secrets(t, period, clock.Now))
	if secret == nil {
		t.Fatal("the secret is not in the store while it lives")
	}
	identity := tickets[0].identity(t, worker, secret)
	keys := keysOf(secret, identity)
	for _, r := range tickets {
		if plain := r.open(keys); !bytes.Contains(plain, r.master) {
			t.Errorf("while the secret lives: opened %d bytes", len(plain))
		}
	}
	places := map[string][][]byte{"the store": {live.store}, "the file of its keys": {live.keys}, "a log": {[]byte(s.Log())},
		"a core dump of the worker": dumped(t, worker), "a core dump of the master": dumped(t, s.Master())}
	said, _ := os.ReadFile(filepath.Join(dir, "gosess.log"))
	places["gosess's log"] = [][]byte{said}
	mustNotHold(t, places, append([][]byte{secret}, keys[:]...))

	s.do(func() error {
		return harness.WaitFor("the secret to end", func() bool { return time.Now().Unix() > end+1 })
	})
	clock.Set(end + period)
	s.load(few("1.2")...)
	dead := steal(t, path)
	for _, guess := range dead.secrets(t, period, begin+1) {
		for _, r := range tickets {
			if bytes.Equal(idOf(guess), r.ticket[:8]) || r.open(keysOf(guess, identity)) != nil {
				t.Fatal("the store still has the secret")
			}
		}
	}
	mustNotHold(t, map[string][][]byte{"the store": {dead.store}, "the worker, later,": writable(t, worker, true),
		"the master, later,": writable(t, s.Master(), true)}, append([][]byte{secret}, keys[:]...))
}

// theSecretOf is the one among them that a ticket was sealed under.
func theSecretOf(r recorded, all [][]byte) []byte {
	for _, secret := range all {
		if bytes.Equal(idOf(secret), r.ticket[:8]) {
			return secret
		}
	}
	return nil
}

// mustNotHold looks for secrets, as they are and in hexadecimal and base64.
func mustNotHold(t *testing.T, places map[string][][]byte, secrets [][]byte) {
	t.Helper()
	for where, parts := range places {
		if len(parts) == 0 {
			t.Errorf("%s holds nothing at all", where)
		}
		for i, secret := range secrets {
			forms := [][]byte{secret, []byte(hex.EncodeToString(secret)), []byte(strings.ToUpper(hex.EncodeToString(secret))),
				[]byte(base64.StdEncoding.EncodeToString(secret))}
			for _, part := range parts {
				for _, form := range forms {
					if bytes.Contains(part, form) {
						t.Errorf("%s holds secret %d", where, i)
					}
				}
			}
		}
	}
}
