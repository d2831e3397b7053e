package nginx_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gosess/capi/settings"
	"gosess/internal/inspect"
	"gosess/tests/harness"
)

// dumped returns what a core dump of a process would hold: all that it can write to, but the
// mappings that are left out of dumps (madvise(2), MADV_DONTDUMP).
func dumped(t *testing.T, process harness.Process) (memory [][]byte) {
	t.Helper()
	return writable(t, process, false)
}

// writable returns all that a process can write to, and where all is set, that too which is left out of dumps.
func writable(t *testing.T, process harness.Process, all bool) (memory [][]byte) {
	t.Helper()
	smaps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", process.PID))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", process.PID))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	var start, end int64
	for line := range strings.Lines(string(smaps)) {
		var from, to int64
		if _, err := fmt.Sscanf(line, "%x-%x rw", &from, &to); err == nil {
			start, end = from, to
		}
		flags, found := strings.CutPrefix(line, "VmFlags:")
		if !found || end == 0 {
			continue
		}
		if all || !slices.Contains(strings.Fields(flags), "dd") {
			data := make([]byte, end-start)
			if n, _ := mem.ReadAt(data, start); n > 0 {
				memory = append(memory, data[:n])
			}
		}
		end = 0
	}
	return memory
}

// Does a core dump of a server leave out the key that its sessions are sealed with?
func TestCoreDump(t *testing.T) {
	key := make([]byte, 32)
	rand.Read(key)
	file := filepath.Join(system.TempDir(t), "keys")
	if err := os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := started(t, "shm:?size=1m&keys="+file)
	s.resumes("--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(200))
	for _, process := range append(s.Workers(), s.Master()) {
		memory := dumped(t, process)
		if len(memory) == 0 {
			t.Fatal("a core dump would hold nothing at all")
		}
		for _, data := range memory {
			if at := bytes.Index(data, key); at >= 0 {
				t.Errorf("a core dump of %s would hold the key", process.Title())
			}
		}
	}
}

// Are the keys in memory that is not written to swap, in each worker, and is it said where that
// cannot be?
func TestLockedKeys(t *testing.T) {
	s := started(t, "shm:?size=1m")
	s.resumes(few("1.2")...)
	for _, process := range append(s.Workers(), s.Master()) {
		if locked := process.Memory("VmLck"); locked == 0 {
			t.Errorf("%s has no locked memory", process.Title())
		}
	}
	s.do(s.Stop)
	if os.Geteuid() != 0 {
		t.Skip("only root has workers that are somebody else, who may not lock any amount")
	}
	// Room for the keys alone, and for nothing.
	for limit, tickets := range map[string]string{"16384": "shared", "0": "keep"} {
		s = newServer(t, "shm:?size=1m")
		s.Through = []string{"prlimit", "--memlock=" + limit}
		s.Env = append(s.Env, "GOSESS_LOG=info", "GOSESS_TICKETS="+tickets)
		s.do(s.Start)
		s.resumes(few("1.2")...)
		s.says = 2 // the other one describes the context
		if said := strings.Join(s.Said(), "\n"); strings.Count(said, "RLIMIT_MEMLOCK") != 1 {
			t.Errorf("%s, %s: said:\n%s", limit, tickets, said)
		}
		s.do(s.Stop)
	}
}

// clientSecrets makes sessions with OpenSSL's own client, which tells their secrets: the master
// secret of TLS 1.2, the resumption secret of TLS 1.3.
func clientSecrets(t *testing.T, s *server, version string) (secrets [][]byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "session")
	for range 5 {
		client := exec.Command("openssl", "s_client", "-connect", fmt.Sprintf("127.0.0.1:%d", s.Port()),
			"-tls"+strings.ReplaceAll(version, ".", "_"), "-sess_out", file, "-ign_eof")
		client.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
		if output, err := client.CombinedOutput(); err != nil {
			t.Fatalf("s_client: %v\n%s", err, output)
		}
		text, err := exec.Command("openssl", "sess_id", "-in", file, "-noout", "-text").CombinedOutput()
		if err != nil {
			t.Fatalf("sess_id: %v\n%s", err, text)
		}
		found := secretLine.FindSubmatch(text)
		if found == nil {
			t.Fatalf("no secret in %s", text)
		}
		secret, err := hex.DecodeString(string(found[1]))
		if err != nil || len(secret) < 32 {
			t.Fatalf("a secret of %d bytes, %v", len(secret), err)
		}
		secrets = append(secrets, secret)
	}
	return secrets
}

var secretLine = regexp.MustCompile(`(?:Master-Key|Resumption PSK): ([0-9A-F]+)`)

// Is the secret of a session that the store keeps nowhere to be read: not in the file, and, when its
// connection has gone, not in what a core dump of any process would hold? What a dump holds of
// connections that are open is libssl's.
func TestSecretsOfSessions(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		path := filepath.Join(system.TempDir(t), "store")
		s := started(t, "shm:"+path+"?size=1m")
		secrets := clientSecrets(t, s, version)
		s.resumes(few(version)...)
		memory := map[string][][]byte{}
		store, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		memory["the store"] = [][]byte{store}
		for _, process := range append(s.Workers(), s.Master()) {
			memory["a core dump of "+process.Title()] = dumped(t, process)
		}
		for where, parts := range memory {
			for _, data := range parts {
				for _, secret := range secrets {
					if bytes.Contains(data, secret) {
						t.Errorf("%s holds the secret of a session", where)
					}
				}
			}
		}
	})
}

// Are the secrets that tickets are sealed under to be read nowhere: not in the store's bytes, nor in the log, nor in what a core dump of
// any process would hold, while they are in use?
func TestSecretsOfTickets(t *testing.T) {
	path := filepath.Join(system.TempDir(t), "store")
	s := newServer(t, "shm:"+path+"?size=1m")
	s.Tickets, s.Env = true, append(s.Env, "GOSESS_TICKETS=shared", "GOSESS_LOG=debug:"+path+".log")
	s.do(s.Start)
	for range 2 {
		s.do(s.Reload)
		each(t, func(t *testing.T, version string) { s.resumes(few(version)...) })
	}
	keys, err := settings.Keys("shm:"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	store, err := inspect.ByURL("shm:"+path, inspect.ToRead)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	secrets, err := store.Secrets(keys, 3600, time.Now().Unix())
	if err != nil || len(secrets) < 2 {
		t.Fatalf("%d secrets, %v", len(secrets), err)
	}
	memory := map[string][][]byte{}
	for _, file := range []string{path, path + ".log"} {
		data, err := os.ReadFile(file)
		if err != nil || len(data) == 0 {
			t.Fatalf("%s: %d bytes, %v", file, len(data), err)
		}
		memory[file] = [][]byte{data}
	}
	held := 0
	for _, process := range append(s.Workers(), s.Master()) {
		memory["a core dump of "+process.Title()] = dumped(t, process)
		for _, data := range writable(t, process, true) {
			if bytes.Contains(data, secrets[1].Value[:]) {
				held++
			}
		}
	}
	if held == 0 {
		t.Error("no process has the secret of now: this test looks for something else")
	}
	for where, parts := range memory {
		for _, data := range parts {
			for _, secret := range secrets {
				if bytes.Contains(data, secret.Value[:]) {
					t.Errorf("%s holds a secret", where)
				}
			}
		}
	}
}
