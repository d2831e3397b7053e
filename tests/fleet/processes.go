// Package fleet has several machines share their sessions: unmodified servers, each with a store and an agent of its own, and
// one redis-server. Only the agents talk to each other, through Redis.
package fleet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"gosess/tests/fleet/network"
	"gosess/tests/harness"
)

// Redis is a redis-server.
type Redis struct {
	Host      *network.Host // nil: this machine, on loopback
	Root      string        // the root directory of another system, whose valkey-server it is then
	Dir       string        // in that system
	Port      int
	Arguments []string // as in its configuration, with two dashes
	cmd       *exec.Cmd
}

// StartRedis starts one on this machine, in a directory.
func StartRedis(dir string) (*Redis, error) {
	r := &Redis{Dir: dir}
	return r, r.Run()
}

// Run starts it, again after Kill.
func (r *Redis) Run() (err error) {
	if r.Port == 0 {
		if r.Port, err = harness.FreePort(); err != nil {
			return err
		}
	}
	line := slices.Clone(r.Host.Through())
	if r.Root == "" {
		line = append(line, "redis-server")
	} else {
		line = append(line, "chroot", r.Root, "/usr/bin/valkey-server")
	}
	line = append(line, "--bind", r.Host.Address(), "--protected-mode", "no", "--port", strconv.Itoa(r.Port), "--save", "", "--dir", r.Dir,
		"--unixsocket", r.socket())
	r.cmd = exec.Command(line[0], append(line[1:], r.Arguments...)...)
	r.cmd.Env = append(os.Environ(), "LC_ALL=C") // the locale of this system may be none of another root
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	return harness.WaitFor("redis-server", func() bool { return r.Ask("PING") == "PONG" })
}

// socket is the path of its Unix socket, in its own system.
func (r *Redis) socket() string { return filepath.Join(r.Dir, "redis.sock") }

// Kill ends it.
func (r *Redis) Kill() {
	if r.cmd != nil {
		end(r.cmd)
		r.cmd = nil
	}
}

// Process is the process of it.
func (r *Redis) Process() *os.Process { return r.cmd.Process }

// Address is where it is.
func (r *Redis) Address() string { return net.JoinHostPort(r.Host.Address(), strconv.Itoa(r.Port)) }

// URL is its far URL.
func (r *Redis) URL() string { return "redis://" + r.Address() }

// Ask sends a command, not over the network, and returns what redis-cli prints.
func (r *Redis) Ask(words ...string) string {
	out, _ := exec.Command("redis-cli", append([]string{"-s", filepath.Join(r.Root, r.socket())}, words...)...).Output()
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

// StartAgent starts the agent of a store through a command that becomes it, and returns when it is connected to the far store.
func StartAgent(through []string, store, far string) (*Agent, error) {
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
	line := append(slices.Clone(through), program, "--store", "shm:"+store, "--far", far)
	a.cmd = exec.Command(line[0], line[1:]...)
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
