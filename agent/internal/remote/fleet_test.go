package remote

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gosess/agent/internal/far"
	"gosess/agent/internal/testredis"
	"gosess/tests/versions"
)

// TestCluster goes on where one server of a cluster is killed, and has all of it again when its replica has taken over.
func TestCluster(t *testing.T) {
	t.Parallel()
	nodes := testredis.Cluster(t, 3)
	m := start(t, fmt.Sprintf("redis://127.0.0.1:%d,127.0.0.1:%d?cluster", nodes[0].Port, nodes[1].Port))
	m.waitUp()
	const count = 100
	ops := make([]far.Op, count)
	for i := range ops {
		ops[i] = far.Op{Kind: far.Put, Key: keyOf(i), Entry: entry(fmt.Sprint("value ", i), 1000)}
	}
	m.Do(ops)
	for i := range ops {
		if ops[i].Err != nil {
			t.Fatal(ops[i].Err)
		}
		m.wants(far.Get, keyOf(i), fmt.Sprint("value ", i))
	}
	testredis.WaitFor(t, "a replica that has all", func() bool { return nodes[3].CLI("DBSIZE") == nodes[0].CLI("DBSIZE") })
	nodes[0].Kill()
	found := map[int]bool{} // by now: beside a busy machine some answer is always late
	look := func() int {
		for i := range count {
			if got, _ := m.get(far.Get, keyOf(i)); got != "" {
				found[i] = true
			}
		}
		return len(found)
	}
	if n := look(); n < count/3 {
		t.Errorf("only %d of %d are left meanwhile", n, count)
	}
	defer func() {
		if t.Failed() {
			t.Logf("it said: %s; %d found; the replica: %s", m.log(), len(found), nodes[3].CLI("CLUSTER", "NODES"))
		}
	}()
	testredis.WaitFor(t, "the replica to take over", func() bool { return look() == count })
	for i := range count {
		if err := m.put(keyOf(i), "new", 1000); err != nil {
			t.Errorf("put after that: %v", err)
		}
	}
	m.one(far.Op{Kind: far.Remove, Key: keyOf(0)})
	m.wants(far.Take, keyOf(0), "")
}

// TestClusterWithoutTheWord says what is missing.
func TestClusterWithoutTheWord(t *testing.T) {
	t.Parallel()
	nodes := testredis.Cluster(t, 3)
	m := start(t, nodes[0].URL())
	m.waitSays("allowed: a URL with ?cluster")
}

// TestSentinel follows a failover.
func TestSentinel(t *testing.T) {
	t.Parallel()
	primary := testredis.Start(t)
	replica := testredis.Start(t, "--replicaof", "127.0.0.1", strconv.Itoa(primary.Port), "--repl-diskless-sync-delay", "0")
	var hosts []string
	for _, s := range testredis.Sentinels(t, primary, 3) {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", s.Port))
	}
	m := start(t, "redis://"+strings.Join(hosts, ",")+"?sentinel=main")
	m.waitUp()
	m.put(keyOf(1), "one", 1000)
	testredis.WaitFor(t, "the entry at the replica", func() bool { return replica.CLI("DBSIZE") == ":1\r\n" })
	primary.Kill()
	testredis.WaitFor(t, "the replica to take over", func() bool { return m.put(keyOf(2), "two", 1000) == nil })
	m.wants(far.Get, keyOf(1), "one")
	m.wants(far.Get, keyOf(2), "two")
}

// TestSentinelSwitches: what is asked goes to the new primary, though the old one is there still for this machine, and for no sentinel.
func TestSentinelSwitches(t *testing.T) {
	t.Parallel()
	primary := testredis.Start(t)
	replica := testredis.Start(t, "--replicaof", "127.0.0.1", strconv.Itoa(primary.Port), "--repl-diskless-sync-delay", "0")
	sentinel := testredis.Sentinels(t, primary, 1)[0]
	m := start(t, fmt.Sprintf("redis://127.0.0.1:%d?sentinel=main", sentinel.Port))
	m.waitUp()
	clients := primary.CLI("CLIENT", "LIST")
	primary.CLI("CONFIG", "SET", "requirepass", "secret")
	primary.Password = "secret"
	for line := range strings.Lines(clients) {
		if id, rest, ok := strings.Cut(strings.TrimPrefix(line, "id="), " "); ok && strings.Contains(rest, "name=sentinel-") {
			primary.CLI("CLIENT", "KILL", "ID", id)
		}
	}
	testredis.WaitFor(t, "a failover", func() bool {
		return strings.Contains(sentinel.CLI("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"), strconv.Itoa(replica.Port))
	})
	testredis.WaitFor(t, "both connections to the new primary", func() bool {
		return strings.Count(replica.CLI("CLIENT", "LIST"), "name=gosess-agent") == 2
	})
}

// TestTLS wants the right certificates on both sides, of Debian's Redis and of Debian 13's Valkey.
func TestTLS(t *testing.T) {
	t.Parallel()
	t.Run("redis", func(t *testing.T) { secure(t, "rediss", "") })
	t.Run("valkey", func(t *testing.T) { secure(t, "valkeys", versions.Valkey(t).Root) })
}

// secure starts a server, whose root directory may be another one.
func secure(t *testing.T, scheme, root string) {
	t.Parallel()
	folder := t.TempDir()
	if root != "" {
		var err error
		if folder, err = os.MkdirTemp(filepath.Join(root, "tmp"), "tls"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(folder) })
	}
	at := func(name string) string { return filepath.Join(folder, name) }
	ca := newAuthority(t, at("ca.pem"))
	other := newAuthority(t, at("other.pem"))
	ca.issue(at("server"), "cache.example.org")
	ca.issue(at("client"), "agent")
	other.issue(at("stranger"), "agent")
	port := strconv.Itoa(testredis.FreePort(t))
	in := func(name string) string { return strings.TrimPrefix(at(name), root) }
	arguments := []string{"--tls-port", port, "--tls-cert-file", in("server.crt"), "--tls-key-file", in("server.key"), "--tls-ca-cert-file", in("ca.pem")}
	if root == "" {
		testredis.Start(t, arguments...)
	} else {
		testredis.StartIn(t, root, "/usr/bin/valkey-server", arguments...)
	}
	url := scheme + "://127.0.0.1:" + port
	client := "&cert=" + at("client.crt") + "&key=" + at("client.key")
	m := start(t, url+"?ca="+at("ca.pem")+"&server-name=cache.example.org"+client)
	m.waitUp()
	m.put(keyOf(1), "one", 1000)
	m.wants(far.Get, keyOf(1), "one")
	long := strings.Repeat("long", 1500) // more than one piece of TLS's or of TCP's
	m.put(keyOf(2), long, 1000)
	m.wants(far.Take, keyOf(2), long)
	m.wants(far.Take, keyOf(2), "")
	const refused = "until it is there" // the server says why in an alert, or ends the connection before that is read
	for options, says := range map[string]string{
		"?server-name=cache.example.org" + client:                                                                          "certificate signed by unknown authority",
		"?server-name=cache.example.org&ca=" + at("other.pem") + client:                                                    "certificate signed by unknown authority",
		"?ca=" + at("ca.pem") + client:                                                                                     "127.0.0.1",
		"?server-name=another.example.org&ca=" + at("ca.pem") + client:                                                     "not another.example.org",
		"?server-name=cache.example.org&ca=" + at("ca.pem"):                                                                refused,
		"?server-name=cache.example.org&ca=" + at("ca.pem") + "&cert=" + at("stranger.crt") + "&key=" + at("stranger.key"): refused,
	} {
		start(t, url+options).waitSays(says)
	}
}

// TestRights: the rights that the page gives the agent's user are enough.
func TestRights(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(page), "    ACL SETUSER gosess ")
	line, _, _ = strings.Cut(line, "\n")
	if !found {
		t.Fatal("the page has no such line")
	}
	redis := testredis.Start(t)
	words := append([]string{"ACL", "SETUSER", "gosess"}, strings.Fields(strings.Replace(line, "PASSWORD", "geheim", 1))...)
	if answer := redis.CLI(words...); answer != "+OK\r\n" {
		t.Fatal(answer)
	}
	redis.CLI("ACL", "SETUSER", "default", "resetkeys")
	const forPush = "&gosess:* +publish +subscribe"
	if !strings.Contains(string(page), "`"+forPush+"`") {
		t.Fatal("the page does not have the rights for push")
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("geheim"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf("redis://127.0.0.1:%d,127.0.0.1:%d?user=gosess&password=%s", redis.Port, redis.Port, password)
	m := start(t, url)
	m.waitUp()
	m.wants(far.Get, keyOf(1), "")
	if op := m.one(far.Op{Kind: far.Add, Key: keyOf(1), Entry: entry("one", 100)}); !op.Found {
		t.Errorf("add: %v", op.Err)
	}
	if op := m.one(far.Op{Kind: far.Replace, Key: keyOf(1), Entry: entry("two", 100)}); !op.Found {
		t.Errorf("replace: %v", op.Err)
	}
	m.put(keyOf(2), "two", 100)
	m.wants(far.Take, keyOf(2), "two")
	if err := m.one(far.Op{Kind: far.Remove, Key: keyOf(1)}).Err; err != nil {
		t.Errorf("remove: %v", err)
	}
	if err := m.Post(far.Event{}); err != nil {
		t.Errorf("post: %v", err)
	}
	if _, _, _, err := m.Since(""); err != nil {
		t.Errorf("since: %v", err)
	}
	if strings.Contains(m.log(), "NOPERM") {
		t.Errorf("it said %s", m.log())
	}
	outside := start(t, url+"&prefix=other:")
	outside.waitSays("its ACL forbids a command that the agent needs")
	listener := start(t, url+"&push")
	listener.waitUp()
	listener.waitSays("what other machines store is not heard of at once, and is asked for when it is needed: its ACL forbids")
	listener.wants(far.Get, keyOf(1), "")
	redis.CLI(append([]string{"ACL", "SETUSER", "gosess"}, strings.Fields(forPush)...)...)
	testredis.WaitFor(t, "a message", func() bool {
		listener.one(far.Op{Kind: far.Push, Message: []byte("hello")})
		return listener.hasHeard("hello")
	})
}

// An authority issues certificates for a minute.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, path string) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: path}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	a.key = newKey(t)
	writePEM(t, path, "CERTIFICATE", a.sign(a.cert, a.key))
	return a
}

func (a *authority) sign(c *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

func (a *authority) issue(path, name string) {
	a.t.Helper()
	key := newKey(a.t)
	der := a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}, key)
	writePEM(a.t, path+".crt", "CERTIFICATE", der)
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	writePEM(a.t, path+".key", "EC PRIVATE KEY", private)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBlackHole has a store whose packets are lost, by a proxy that forwards nothing for a while.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	p := testredis.NewProxy(t, redis.Port)
	m := start(t, p.URL())
	m.waitUp()
	p.Hold(true)
	m.waitDown()
	if err := m.put(keyOf(1), "one", 100); err != far.ErrAway {
		t.Errorf("put meanwhile: %v", err)
	}
	p.Hold(false)
	m.waitUp()
	m.put(keyOf(1), "one", 100)
	m.wants(far.Get, keyOf(1), "one")
}

// TestReplica takes the first of several hosts that is no replica, and says so where there is none.
func TestReplica(t *testing.T) {
	t.Parallel()
	primary := testredis.Start(t)
	replica := testredis.Start(t, "--replicaof", "127.0.0.1", fmt.Sprint(primary.Port))
	m := start(t, fmt.Sprintf("redis://127.0.0.1:%d,127.0.0.1:%d", replica.Port, primary.Port))
	m.waitUp()
	if err := m.put(keyOf(1), "one", 100); err != nil {
		t.Errorf("put: %v", err)
	}
	only := start(t, replica.URL())
	only.waitUp()
	testredis.WaitFor(t, "the entry at the replica", func() bool { got, _ := only.get(far.Get, keyOf(1)); return got == "one" })
	if err := only.put(keyOf(2), "two", 100); err != far.ErrRefused {
		t.Errorf("put at a replica: %v", err)
	}
	only.waitSays("it is a replica, and takes nothing")
	replica.CLI("REPLICAOF", "NO", "ONE")
	primary.CLI("REPLICAOF", "127.0.0.1", fmt.Sprint(replica.Port))
	testredis.WaitFor(t, "the other host, which is the primary now", func() bool { return m.put(keyOf(3), "three", 100) == nil })
	testredis.WaitFor(t, "a put at what was a replica", func() bool { return only.put(keyOf(2), "two", 100) == nil })
}
