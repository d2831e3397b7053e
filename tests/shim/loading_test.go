package shim_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// Is a host served whose libssl came with an extension that it loaded for itself?
func TestExtension(t *testing.T) {
	extension := workshop.Compile(t, "extension.so", "cc", append(append([]string{"-shared", "-fPIC"}, sources(t, "extension")...), libraries...)...)
	loader := workshop.Compile(t, "loader", "cc", "tests/shim/plain/loader.c", "-ldl")
	without := host{path: loader, arguments: []string{extension}}.run(t)
	without.wants(t, "full: new", "full: -", "getter 1")
	with := host{path: loader, arguments: []string{extension}, library: library(t), cache: "shm:?size=1m"}.run(t)
	with.wants(t, "full: new", "resumed: -", "getter 1")
	with.logs(t)
}

// Does a library come up whose constructor makes a context, while a thread makes the first one?
func TestConstructor(t *testing.T) {
	constructor := object(t, "constructor", "tests/shim/plain/constructor.c", libraries...)
	h := host{path: workshop.Compile(t, "loader", "cc", "tests/shim/plain/loader.c", "-ldl"), arguments: []string{constructor}}
	h.run(t).wants(t, "2 made")
	h.library, h.cache = library(t), "shm:?size=1m"
	s := h.run(t)
	s.wants(t, "2 made")
	s.logs(t)
}

const pythonServer = `
import ssl, sys
def server():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    return context
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.check_hostname = False
client.verify_mode = ssl.CERT_NONE
def visit(server, session):
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(a, b, session=session), server.wrap_bio(b, a, server_side=True)]
    for turn in range(10):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
    print("resumed" if ends[0].session_reused else "full")
    for end in ends + ends:
        try:
            end.unwrap()
        except ssl.SSLWantReadError:
            pass
    return ends[0].session
session = visit(server(), None)
visit(server(), session)
`

// Is Python served, whose ssl module is such an extension?
func TestPython(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import ssl").Run(); err != nil {
		t.Skip("no Debian python3 with ssl: ", err)
	}
	authority, err := harness.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Issue("server.test")
	if err != nil {
		t.Fatal(err)
	}
	h := host{path: python, arguments: []string{"-c", pythonServer, certificate.Cert, certificate.Key}}
	h.run(t).wants(t, "full", "full")
	h.library, h.cache = library(t), "shm:?size=1m"
	s := h.run(t)
	s.wants(t, "full", "resumed")
	s.logs(t)
}

// Is the library inert in programs that serve no TLS?
func TestInert(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store")
	h := host{path: "/bin/cat", arguments: []string{"/proc/self/maps", "/proc/self/status"}, library: library(t), cache: "shm:?size=1m"}
	s := h.run(t)
	if !strings.Contains(s.out, "libgosess.so") {
		t.Fatalf("not preloaded:\n%s", s.out)
	}
	for _, word := range []string{"libgosess-core", "memfd", "libssl", "/dev/zero"} {
		if strings.Contains(s.out, word) {
			t.Errorf("%s in the maps of cat:\n%s", word, s.out)
		}
	}
	if !strings.Contains(s.out, "Threads:\t1\n") || s.stderr != "" {
		t.Errorf("cat:\n%s%s", s.out, s.stderr)
	}
	h = host{path: "/bin/sh", arguments: []string{"-c", "ls / >/dev/null; echo done"}, library: library(t), cache: "shm:" + store + "?size=1m"}
	s = h.run(t)
	s.wants(t, "done")
	if s.stderr != "" {
		t.Errorf("sh: %s", s.stderr)
	}
	// A client makes contexts of its own before it connects.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	h = host{path: "/usr/bin/openssl", arguments: []string{"s_client", "-connect", address}, library: library(t), cache: "shm:" + store + "?size=1m", fails: true}
	h.run(t).logs(t)
	if _, err := os.Stat(store); err == nil {
		t.Error("a client or a shell has made a store")
	}
}
