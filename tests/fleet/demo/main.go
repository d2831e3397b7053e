// Demo shows what a fleet does: three unmodified nginx with a store and an agent each, and one Redis, which is killed in between. It
// starts all of it in a temporary directory, on loopback, and removes it again.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gosess/tests/fleet"
	"gosess/tests/harness"
)

const (
	machines = 3
	sessions = 200
)

func main() {
	if err := demo(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// A machine is an nginx with an agent.
type machine struct {
	nginx *harness.Nginx
	store string
	agent *fleet.Agent
}

type show struct {
	dir   string
	redis *fleet.Redis
	all   []*machine
	tls   string
}

func demo() (err error) {
	dir, err := os.MkdirTemp("", "gosess-demo-")
	if err != nil {
		return err
	}
	s := &show{dir: dir}
	defer func() { err = errors.Join(err, s.end(), os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the workers are another user
		return err
	}
	if err := s.make(); err != nil {
		return err
	}
	fmt.Printf(`%d nginx, unmodified, with one certificate; each with a store of its own. %d sessions are made at the first one and
offered to the second and the third.

TLS  the machines                                        resumed at 2  resumed at 3
`, machines, sessions)
	for _, step := range []func() error{s.without, s.with, s.killed, s.back} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// make makes the machines, which do not run yet.
func (s *show) make() error {
	for i := range machines {
		dir := filepath.Join(s.dir, strconv.Itoa(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		n, err := harness.NewNginx(dir)
		if err != nil {
			return err
		}
		if i > 0 {
			n.Sites[0].Cert = s.all[0].nginx.Sites[0].Cert
		}
		s.all = append(s.all, &machine{nginx: n, store: filepath.Join(dir, "store")})
	}
	return nil
}

func (s *show) end() (err error) {
	for _, m := range s.all {
		err = errors.Join(err, m.nginx.Stop())
		if m.agent != nil {
			m.agent.Kill()
		}
	}
	if s.redis != nil {
		s.redis.Kill()
	}
	return err
}

// without is nginx as it is.
func (s *show) without() error {
	for _, m := range s.all {
		if err := m.nginx.Start(); err != nil {
			return err
		}
	}
	if err := s.both("without gosess", s.visit); err != nil {
		return err
	}
	for _, m := range s.all {
		if err := m.nginx.Stop(); err != nil {
			return err
		}
	}
	return nil
}

// with is a fleet.
func (s *show) with() (err error) {
	if s.redis, err = fleet.StartRedis(s.dir); err != nil {
		return err
	}
	keys, err := fleet.NewKeys(s.dir)
	if err != nil {
		return err
	}
	for _, m := range s.all {
		if m.nginx.Env, err = fleet.Environment(m.store, keys); err != nil {
			return err
		}
		if err := m.nginx.Start(); err != nil {
			return err
		}
		if m.agent, err = fleet.StartAgent(nil, m.store, s.redis.URL()); err != nil {
			return err
		}
	}
	return s.both("with a fleet", s.visitAndWait)
}

// killed is the fleet without its Redis: what the machines have they resume, and new sessions stay where they are.
func (s *show) killed() error {
	s.redis.Kill()
	return s.both("Redis killed: the sessions from before", s.before)
}

func (s *show) back() error {
	if err := s.redis.Run(); err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // by then all agents are connected again
	return s.both("Redis started again, empty: new sessions", s.visitAndWait)
}

func (s *show) file() string { return filepath.Join(s.dir, "sessions-"+s.tls) }

// before leaves the file of sessions as it is.
func (s *show) before() error { return nil }

// visit makes new sessions at the first machine.
func (s *show) visit() error {
	r, err := harness.Load(s.all[0].nginx.Port(), "--tls", s.tls, "--sessions", strconv.Itoa(sessions), "--attempts", "0", "--save", s.file())
	if err == nil && r.Errors > 0 {
		err = errors.New(r.Said)
	}
	return err
}

// visitAndWait also waits until Redis has them, which takes some milliseconds.
func (s *show) visitAndWait() error {
	had := s.redis.Size()
	if err := s.visit(); err != nil {
		return err
	}
	return harness.WaitFor("sessions in Redis", func() bool { return s.redis.Size() >= had+sessions })
}

// both shows a row for each version.
func (s *show) both(what string, sessionsOf func() error) error {
	for _, version := range []string{"1.2", "1.3"} {
		s.tls = version
		if err := sessionsOf(); err != nil {
			return err
		}
		var percent [machines]float64
		for i, m := range s.all[1:] {
			r, err := harness.Load(m.nginx.Port(), "--tls", version, "--load", s.file(), "--attempts", strconv.Itoa(sessions))
			if err == nil && r.Errors > 0 {
				err = fmt.Errorf("%d errors: %s", r.Errors, r.Said)
			}
			if err != nil {
				return err
			}
			percent[i] = 100 * float64(r.Resumed) / float64(r.Attempts)
		}
		fmt.Printf("%s  %-50s  %10.1f %%  %10.1f %%\n", version, what, percent[0], percent[1])
	}
	return nil
}
