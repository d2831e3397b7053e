package shm

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"gosess/sessioncache"
)

const uidEnv = "GOSESS_TEST_UID" // the directory of TestOtherUser; this process is the other one

// TestOtherUser has a process open a store as root, become nobody, and work on it beside one
// that is root still: each sees the other's sessions, and nobody takes the other for dead.
func TestOtherUser(t *testing.T) {
	if dir := os.Getenv(uidEnv); dir != "" {
		s := openShm(t, mapShared(t, dir, "store", MinSize))
		c := testCache(t, s, nil)
		mustGet(t, c, originA, testID(1), []byte("root's"))
		if err := syscall.Setuid(65534); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Open(dir + "/store"); err == nil {
			t.Error("the file can be opened still")
		}
		mustGet(t, c, originA, testID(1), []byte("root's"))
		mustPut(t, c, originA, testID(2), []byte("nobody's"), 1<<32-2)
		parent, _ := strconv.ParseUint(os.Getenv(uidEnv+"_PARENT"), 10, 64)
		if !alive(parent) {
			t.Error("root's process looks dead")
		}
		if dead := deadPID(t); alive(dead) {
			t.Error("a dead process looks alive")
		}
		// A lock that root's process does not give back is stolen from it.
		s.store(firstSet+setLock, parent<<32|1)
		for n := 3; n < 300; n++ {
			mustPut(t, c, originA, testID(n), []byte("nobody's"), 1<<32-2)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir := t.TempDir()
	mapping := mapShared(t, dir, "store", MinSize)
	makeHeader(mapping)
	s := openShm(t, mapping)
	c := testCache(t, s, nil)
	mustPut(t, c, originA, testID(1), []byte("root's"), 1<<32-2)
	cmd := exec.Command(os.Args[0], "-test.run=^TestOtherUser$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), uidEnv+"="+dir, uidEnv+"_PARENT="+strconv.Itoa(os.Getpid()))
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for n := 2; n < 300; n++ {
		mustGet(t, c, originA, testID(n), []byte("nobody's"))
	}
	if got := s.stats().Total; got[sessioncache.Errors] != 0 {
		t.Errorf("counters: %+v", got)
	}
	checkStore(t, s)
}
