// Package fleet has several machines share their sessions: unmodified servers, each with a store and an agent of its own, and
// one redis-server. All are on loopback: only the agents talk to each other, through Redis.
package fleet

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"gosess/tests/harness"
)

// Redis is a redis-server.
type Redis struct {
	Dir  string
	Port int
	cmd  *exec.Cmd
}

// StartRedis starts one in a directory.
func StartRedis(dir string) (*Redis, error) {
	port, err := harness.FreePort()
	if err != nil {
		return nil, err
	}
	r := &Redis{Dir: dir, Port: port}
	return r, r.Run()
}

// Run starts it, again after Kill.
func (r *Redis) Run() error {
	r.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(r.Port), "--save", "", "--dir", r.Dir)
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	return harness.WaitFor("redis-server", func() bool { return r.Ask("PING") == "PONG" })
}

// Kill ends it.
func (r *Redis) Kill() {
	if r.cmd != nil {
		end(r.cmd)
		r.cmd = nil
	}
}

// Process is the process of it.
func (r *Redis) Process() *os.Process { return r.cmd.Process }

// URL is its far URL.
func (r *Redis) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d", r.Port) }

// Ask sends a command, and returns what redis-cli prints.
func (r *Redis) Ask(words ...string) string {
	out, _ := exec.Command("redis-cli", append([]string{"-p", strconv.Itoa(r.Port)}, words...)...).Output()
	return strings.TrimSpace(string(out))
}

// Size is how many keys it has.
func (r *Redis) Size() int {
	n, _ := strconv.Atoi(r.Ask("DBSIZE"))
	return n
}

// Agent is a gosess-agent.
type Agent struct {
	log string
	cmd *exec.Cmd
}

// StartAgent starts the agent of a store, and returns when it is connected to Redis.
func StartAgent(store string, r *Redis) (*Agent, error) {
	program, err := harness.Built("gosess-agent")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("run make agent first: %w", err)
	}
	a := &Agent{log: store + ".agent"}
	log, err := os.Create(a.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	a.cmd = exec.Command(program, "--store", "shm:"+store, "--far", r.URL())
	a.cmd.Stderr = log
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	if err := harness.WaitFor("an agent that is connected", func() bool { return strings.Contains(a.Log(), "connected to") }); err != nil {
		a.Kill()
		return nil, errors.Join(err, errors.New(a.Log()))
	}
	return a, nil
}

// Log is all that it has said.
func (a *Agent) Log() string {
	text, _ := os.ReadFile(a.log)
	return string(text)
}

// PID is its process id.
func (a *Agent) PID() int { return a.cmd.Process.Pid }

// Kill ends it, at once.
func (a *Agent) Kill() { end(a.cmd) }

func end(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// Environment has a server be part of a fleet: with a store, and the sealing keys of all.
func Environment(store, keys string) ([]string, error) {
	// No deadline that a busy machine would miss.
	return harness.Preload("shm:" + store + "?size=4m&fleet&wait=50ms&keys=" + keys)
}

// NewKeys makes a key file.
func NewKeys(dir string) (path string, err error) {
	program, err := harness.Built("gosess")
	if err != nil {
		return "", err
	}
	key, err := exec.Command(program, "keygen").Output()
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "keys")
	return path, os.WriteFile(path, key, 0o600)
}
