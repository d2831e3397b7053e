// Package harness starts real servers with gosess preloaded, drives them with the
// load client, and stops them again. Everything is on loopback, in a directory of
// its own, with certificates made for the run.
package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Patience is how long anything that should happen soon is waited for, on a machine where twenty others want each core too.
const Patience = time.Minute

// loopback is where servers are that have no other address.
const loopback = "127.0.0.1"

// Server is a server program with its workers.
type Server interface {
	// Start starts the server and returns when all its workers serve.
	Start() error
	// Reload makes it read its configuration again and returns when the new workers serve and the old ones are gone.
	Reload() error
	// Stop ends it in its own orderly way; nothing of it is left afterwards, even on an error.
	Stop() error
	// Kill9 kills the master and then the workers, so that none of them can tidy up.
	Kill9() error
	// Master is the process that configures; its PID is 0 while the server does not run.
	Master() Process
	// Workers are the processes that serve, without those that are about to end.
	Workers() []Process
	// Log is everything that the server and gosess have said so far.
	Log() string
}

// Root is the top of the source tree: the nearest directory upwards that holds shim.h, as the agent has a go.mod of its own.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "shim.h")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no shim.h here or above")
		}
		dir = parent
	}
}

// Built is the path of what make build has made under that name.
func Built(name string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "build", name)
	if its := TestedMachine().built(name); its != "" {
		path = its
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("run make build first: %w", err)
	}
	return path, nil
}

// NeedBuild fails the test where make build has not been run.
func NeedBuild(t testing.TB) {
	t.Helper()
	for _, name := range []string{"libgosess.so", "libgosess-core.so", "gosess", "tests/load"} {
		if _, err := Built(name); err != nil {
			t.Fatal(err)
		}
	}
}

// TempDir is t.TempDir, open to the workers of a server, which are another user.
func TempDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Preload is the environment of a server with gosess: cache is GOSESS_CACHE, unset where empty.
func Preload(cache string) ([]string, error) {
	library, err := Built("libgosess.so")
	if err != nil {
		return nil, err
	}
	env := []string{"LD_PRELOAD=" + library}
	if cache != "" {
		env = append(env, "GOSESS_CACHE="+cache)
	}
	return env, nil
}

// Stored is a store with a path in that directory: its URL, and the environment of a server that has it.
func Stored(t testing.TB, dir string) (url string, env []string) {
	t.Helper()
	url = "shm:" + filepath.Join(dir, "store")
	env, err := Preload(url + "?size=4m")
	if err != nil {
		t.Fatal(err)
	}
	return url, env
}

// environment is that of this process without anything of gosess, and with what is added.
func environment(added []string) []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "LD_PRELOAD=") && !strings.HasPrefix(entry, "GOSESS_") {
			env = append(env, entry)
		}
	}
	return append(env, added...)
}

// StopAndStart is an orderly restart.
func StopAndStart(s Server) error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.Start()
}

// WaitFor waits until done says yes; what names it in the error that comes after Patience. It looks the less often the longer it
// takes, so that those who wait leave a busy machine to those who work.
func WaitFor(what string, done func() bool) error {
	for began := time.Now(); !done(); {
		waited := time.Since(began)
		if waited > Patience {
			return fmt.Errorf("waited %v for %s", Patience, what)
		}
		time.Sleep(min(max(waited/10, 10*time.Millisecond), 100*time.Millisecond))
	}
	return nil
}

// Result is what the load client counted: see tests/load/load.c.
type Result struct {
	Sessions   int          `json:"sessions"`
	Attempts   int          `json:"attempts"`
	Handshakes int          `json:"handshakes"`
	Resumed    int          `json:"resumed"`
	Full       int          `json:"full"`
	Errors     int          `json:"errors"`
	Tickets    int          `json:"tickets"`
	Retries    int          `json:"retries"`
	New        int          `json:"new"`   // attempts of clients that had no session
	Early      int          `json:"early"` // attempts whose early data was accepted
	Workers    int          `json:"workers"`
	P50        float64      `json:"p50_us"`
	P99        float64      `json:"p99_us"`
	Elapsed    float64      `json:"elapsed"`
	Quantiles  [][2]float64 `json:"quantiles"` // of the handshakes, in microseconds
	Said       string       `json:"-"`         // what it wrote to stderr
}

// Load runs the load client against a port of loopback.
func Load(port int, arguments ...string) (Result, error) {
	return LoadAt(net.JoinHostPort(loopback, strconv.Itoa(port)), arguments...)
}

// Loaded is the same where every handshake and every answer must succeed.
func Loaded(t *testing.T, port int, arguments ...string) Result {
	t.Helper()
	r, err := Load(port, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Errors != 0 {
		t.Fatalf("%v: %d errors:\n%s", arguments, r.Errors, r.Said)
	}
	return r
}

// LoadAt runs the load client against an address.
func LoadAt(address string, arguments ...string) (Result, error) {
	var result Result
	client, err := Built("tests/load")
	if err != nil {
		return result, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(client, append([]string{"--port", address}, arguments...)...)
	cmd.Env = environment(nil)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return result, fmt.Errorf("load: %w: %s", err, stderr.String())
	}
	result.Said = stderr.String()
	return result, json.Unmarshal(stdout.Bytes(), &result)
}
