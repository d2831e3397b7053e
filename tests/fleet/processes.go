// Package fleet has several machines share their sessions: unmodified servers, each with a store and an agent of its own, and
// one redis-server. Only the agents talk to each other, through Redis.
package fleet

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gosess/tests/harness"
)

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
