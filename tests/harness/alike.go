package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Alike wants a server to do the same without gosess and with each kind of store: run starts it in a directory, with
// that added to its environment, and gives an account of what its clients saw and of how it ended.
func Alike(t *testing.T, run func(t *testing.T, dir string, env []string) (account string)) {
	t.Helper()
	NeedBuild(t)
	without := run(t, TempDir(t), nil)
	if without == "" {
		t.Fatal("there is no account of the server without gosess")
	}
	EachStore(t, func(t *testing.T, dir string, env []string) {
		if with := run(t, dir, env); with != without {
			t.Errorf("with gosess:\n%s\nwithout it:\n%s", with, without)
		}
	})
}

// EachStore runs a test with each kind of store: the environment that names it, and a directory for the server.
func EachStore(t *testing.T, test func(t *testing.T, dir string, env []string)) {
	for name, url := range map[string]string{"memory": "memory:?size=4m", "shm": "shm:?size=4m", "path": "shm:%s?size=4m"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := TempDir(t)
			env, err := Preload(strings.Replace(url, "%s", filepath.Join(dir, "store"), 1))
			if err != nil {
				t.Fatal(err)
			}
			test(t, dir, env)
		})
	}
}

// boundUDP says whether somebody receives datagrams at that port of loopback or of all addresses.
func boundUDP(port int) bool {
	table, _ := os.ReadFile("/proc/net/udp")
	for _, address := range []string{"0100007F", "00000000"} {
		if strings.Contains(string(table), fmt.Sprintf(" %s:%04X ", address, port)) {
			return true
		}
	}
	return false
}

// FreeUDPPort is a port of loopback where nobody receives datagrams.
func FreeUDPPort() (int, error) {
	for {
		port, err := FreePort()
		if err != nil || !boundUDP(port) {
			return port, err
		}
	}
}
