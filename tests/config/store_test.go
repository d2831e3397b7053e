package config_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gosess/sessioncache/shm"
	"gosess/tests/harness"
)

const mib = 1 << 20

// url is a path store's, of 1 MiB.
func url(path string) string { return "shm:" + path + "?size=1m" }

func TestAnonymousStore(t *testing.T) {
	a := good(t, "open", "shm:?size=2m", "")
	if got := a.field(t, "size"); got != "2097152" {
		t.Errorf("size %s", got)
	}
	if a.field(t, "keys") == good(t, "open", "shm:?size=2m", "").field(t, "keys") {
		t.Error("two stores in memory have the same key")
	}
	bad(t, []string{"size 1024g", "memory", "allowed: up to"}, nil, "open", "shm:?size=1024g", "")
	bad(t, []string{"size 1024g", "memory", "allowed: up to"}, nil, "check", "shm:?size=1024g", "")
	good(t, "check", "shm:?size=2m", "")
}

func TestPathStore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web")
	if a := good(t, "check", url(path), ""); a.text != "would make store "+path+" of size 1m" {
		t.Errorf("check says %q", a.text)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("check made %q", got)
	}
	// Whatever the umask is.
	first := drive(t, []string{"DRIVER_UMASK=777"}, "open", url(path), "")
	second := good(t, "open", url(path), "")
	if first.field(t, "opens") != "1" || second.field(t, "opens") != "2" {
		t.Errorf("not the same store: %q, then %q", first.text, second.text)
	}
	if first.field(t, "keys") != second.field(t, "keys") {
		t.Error("the key did not stay")
	}
	for _, name := range []string{path, path + ".key"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"web", "web.key"}) {
		t.Errorf("it left %q", got)
	}
	if a := good(t, "check", url(path), ""); a.text != "would open store "+path+" of size 1m" {
		t.Errorf("check says %q", a.text)
	}
	for _, command := range []string{"open", "check"} {
		if a := good(t, command, "shm:"+path, ""); strings.Contains(a.text, "stays") {
			t.Errorf("%s of a URL without a size says %q", command, a.text)
		}
		if a := good(t, command, "shm:"+path+"?size=2m", ""); !strings.Contains(a.text, "stays at size 1m, not 2m") {
			t.Errorf("%s of another size says %q", command, a.text)
		}
	}
}

// The header is the one of docs/shm-format.md, and the space is there, not a hole.
func TestHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	good(t, "open", url(path), "")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := content[:64]
	if !bytes.HasPrefix(header, []byte("gosess\r\n")) ||
		binary.LittleEndian.Uint32(header[shm.VersionAt:]) != shm.Version ||
		binary.LittleEndian.Uint32(header[12:]) != 64 ||
		binary.LittleEndian.Uint64(header[16:]) != mib ||
		binary.LittleEndian.Uint64(header[24:]) == 0 ||
		bytes.Equal(header[32:48], make([]byte, 16)) ||
		!bytes.Equal(header[48:60], make([]byte, 12)) ||
		binary.LittleEndian.Uint32(header[60:]) != crc32.ChecksumIEEE(header[:60]) {
		t.Errorf("header % x", header)
	}
	other := filepath.Join(t.TempDir(), "web")
	good(t, "open", url(other), "")
	if another, err := os.ReadFile(other); err != nil || bytes.Equal(another[32:48], header[32:48]) {
		t.Errorf("two stores have the same id (%v)", err)
	}
	if !bytes.Equal(content[64:mib-4], make([]byte, mib-68)) {
		t.Error("the rest is not zero")
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if blocks := info.Sys().(*syscall.Stat_t).Blocks * 512; blocks < mib {
		t.Errorf("only %d bytes are allocated", blocks)
	}
}

func TestSizeStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	good(t, "open", url(path), "")
	for _, what := range []string{"open", "check"} {
		a := good(t, what, "shm:"+path+"?size=3m", "")
		for _, word := range []string{path, "size 1m", "3m", "remove the file"} {
			if !strings.Contains(a.text, word) {
				t.Errorf("%s: %q is missing in %q", what, word, a.text)
			}
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != mib {
		t.Errorf("%v, %v", info, err)
	}
}

// race has many processes open a store at once, and wants one store and one key of them.
// Where the file is there already, none gets its lock before all have it open.
func race(t *testing.T, path string) {
	t.Helper()
	const starts = 20
	var commands [starts]*exec.Cmd
	var stdout, stderr [starts]bytes.Buffer
	file, err := os.Open(path)
	held := err == nil
	if held {
		defer file.Close()
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
	}
	for i := range commands {
		commands[i] = command(nil, "open", url(path), "")
		commands[i].Stdout, commands[i].Stderr = &stdout[i], &stderr[i]
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	if held {
		for _, cmd := range commands {
			waitUntilOpen(t, cmd.Process.Pid, path)
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_UN); err != nil {
			t.Fatal(err)
		}
	}
	keys, opens := map[string]bool{}, map[string]bool{}
	for i, cmd := range commands {
		err := cmd.Wait()
		a := finish(t, stdout[i].String(), stderr[i].String(), err)
		if !a.ok {
			t.Fatalf("error %s", a.text)
		}
		keys[a.field(t, "keys")] = true
		opens[a.field(t, "opens")] = true
	}
	if len(keys) != 1 || len(opens) != starts {
		t.Errorf("keys %v, numbers of opens %v", keys, opens)
	}
}

// waitUntilOpen waits until a process has a file open.
func waitUntilOpen(t *testing.T, pid int, path string) {
	t.Helper()
	err := harness.WaitFor(fmt.Sprintf("process %d to open %s", pid, path), func() bool { return harness.FindProcess(pid).HasOpen(path) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestRaceToMake(t *testing.T) {
	for range 3 {
		dir := t.TempDir()
		race(t, filepath.Join(dir, "web"))
		if got := names(t, dir); !slices.Equal(got, []string{"web", "web.key"}) {
			t.Errorf("they left %q", got)
		}
	}
}

// Those who wait for the lock of a damaged store find that its name has gone to another.
func TestRaceToReplace(t *testing.T) {
	for range 3 {
		path := filepath.Join(t.TempDir(), "web")
		old := edited(t, path, false, func(h []byte) { h[60] ^= 1 })
		race(t, path)
		kept, err := os.ReadFile(path + ".old")
		if err != nil || !bytes.Equal(kept, old) {
			t.Errorf("%s.old is not the damaged store (%v)", path, err)
		}
	}
}

// untilDone calls step with 1, 2, 3 ... until it says that there was no such change.
func untilDone(t *testing.T, step func(n int) (done bool)) {
	t.Helper()
	for n := 1; n < 50; n++ {
		if step(n) {
			if n < 8 {
				t.Errorf("only %d changes: the driver does not count them", n-1)
			}
			return
		}
	}
	t.Error("no end of changes")
}

// A maker that dies before any of its changes leaves what the next one makes a store of.
func TestKilledMaker(t *testing.T) {
	untilDone(t, func(n int) bool {
		path := filepath.Join(t.TempDir(), "web")
		cmd := command([]string{fmt.Sprintf("DRIVER_DIE=%d", n)}, "open", url(path), "")
		err := cmd.Run()
		if err == nil {
			return true
		}
		if cmd.ProcessState.ExitCode() != 99 {
			t.Fatalf("change %d: %v", n, err)
		}
		a := good(t, "open", url(path), "")
		if a.field(t, "opens") != "1" || a.field(t, "note") != "" {
			t.Errorf("after change %d: %s", n, a.text)
		}
		return false
	})
}

// Where any change fails, there is an error and no store.
func TestFailedMaker(t *testing.T) {
	untilDone(t, func(n int) bool {
		dir := t.TempDir()
		path := filepath.Join(dir, "web")
		a := drive(t, []string{fmt.Sprintf("DRIVER_FAIL=%d", n)}, "open", url(path), "")
		if a.ok {
			return true
		}
		if !strings.Contains(a.text, path) || !strings.Contains(a.text, "No space left on device") {
			t.Errorf("change %d: error %s", n, a.text)
		}
		for _, name := range names(t, dir) {
			if name != "web.key" {
				t.Errorf("change %d left %s", n, name)
			}
		}
		return false
	})
}

func TestUnfinishedStores(t *testing.T) {
	for name, content := range map[string][]byte{
		"empty":          {},
		"magic":          []byte("gosess\r\n"),
		"magic and room": append([]byte("gosess\r\n"), make([]byte, 3*mib)...),
	} {
		path := filepath.Join(t.TempDir(), "web")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if a := good(t, "check", url(path), ""); !strings.HasPrefix(a.text, "would make") {
			t.Errorf("%s: check says %q", name, a.text)
		}
		a := good(t, "open", url(path), "")
		if a.field(t, "size") != "1048576" || a.field(t, "opens") != "1" {
			t.Errorf("%s: %s", name, a.text)
		}
	}
}

// edited makes a store, and has its header changed; fix makes the checksum right again.
func edited(t *testing.T, path string, fix bool, edit func(header []byte)) []byte {
	t.Helper()
	good(t, "open", url(path), "")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edit(content)
	if fix {
		binary.LittleEndian.PutUint32(content[60:], crc32.ChecksumIEEE(content[:60]))
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return content
}

func TestTruncatedStoreIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	good(t, "open", url(path), "")
	if err := os.Truncate(path, mib/2); err != nil {
		t.Fatal(err)
	}
	if a := good(t, "open", url(path), ""); !strings.Contains(a.text, "damaged") {
		t.Errorf("the note is %q", a.text)
	}
}

// A start waits for another that is making the store, but not for ever.
func TestLockHasADeadline(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web")
	good(t, "open", url(path), "")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	bad(t, []string{"cannot lock", path, "2 seconds"}, nil, "open", url(path), "")
	good(t, "check", url(path), "")
}
