package haproxy_test

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/sessioncache"
	"gosess/tests/harness"
)

// The master has a new worker by USR2 and by HUP, and no client of theirs notices. The worker's own HUP,
// which writes the state of its servers to the log, does so.
func TestReloadSignalsUnderLoad(t *testing.T) {
	s := newServer(t)
	log, err := net.ListenPacket("udp", "127.0.0.1:0")
	s.do(func() error { return err })
	defer log.Close()
	s.Global = "log " + log.LocalAddr().String() + " local0"
	s.Sections = "defaults\n    mode http\n    log global\nbackend named\n    timeout server 10s\n    timeout connect 10s\n" +
		"    server one 127.0.0.1:1 disabled\n"
	s.do(s.Start)
	s.underLoad(func() error { return s.ReloadBy(syscall.SIGUSR2) })
	s.underLoad(func() error { return s.ReloadBy(syscall.SIGHUP) })
	s.underLoad(func() error {
		if err := s.Workers()[0].Kill(syscall.SIGHUP); err != nil {
			return err
		}
		return logged(log, "SIGHUP: Server named/one is DOWN")
	})
}

// logged waits for a line.
func logged(log net.PacketConn, text string) error {
	if err := log.SetReadDeadline(time.Now().Add(harness.Patience)); err != nil {
		return err
	}
	for line := make([]byte, 1024); ; {
		n, _, err := log.ReadFrom(line)
		if err != nil || strings.Contains(string(line[:n]), text) {
			return err
		}
	}
}

// underLoad takes a step while clients come, again and again until it is done; each must be served
// and resumed.
func (s *server) underLoad(step func() error) {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- step() }()
	for {
		s.resumes("--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
		s.resumes("--tls", "1.3", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
		select {
		case err := <-done:
			s.do(func() error { return err })
			return
		default:
		}
	}
}

// What ends HAProxy while clients come: USR1 when the last of them has its answer, TERM and INT at once; the
// master and the worker alike.
func TestEndSignalsUnderLoad(t *testing.T) {
	for _, test := range []struct {
		signal syscall.Signal
		soft   bool
	}{{syscall.SIGUSR1, true}, {syscall.SIGTERM, false}, {syscall.SIGINT, false}} {
		for whom, receiver := range map[string]func(*server) harness.Process{
			"master": func(s *server) harness.Process { return s.Master() },
			"worker": func(s *server) harness.Process { return s.Workers()[0] },
		} {
			t.Run(whom+" "+test.signal.String(), func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				s.do(s.Start)
				processes := append(s.Workers(), s.Master())
				stop := s.loadMeanwhile()
				defer stop()
				asking := s.ask()
				defer asking.Close()
				s.do(func() error { return receiver(s).Kill(test.signal) })
				if test.soft {
					s.do(func() error { return harness.WaitFor("HAProxy to refuse new clients", s.refuses) })
					if answer := asking.finish(); !strings.HasPrefix(answer, "HTTP/1.1 200") {
						t.Errorf("the one who was there is answered %q", answer)
					}
				}
				s.do(func() error { return ended(processes) })
			})
		}
	}
}

func ended(processes []harness.Process) error {
	return harness.WaitFor("HAProxy to end", func() bool {
		return !slices.ContainsFunc(processes, harness.Process.Alive)
	})
}

// loadMeanwhile runs the load client again and again, once sessions have been stored, until stop is called. What it sees when
// HAProxy ends is not judged.
func (s *server) loadMeanwhile() (stop func()) {
	s.t.Helper()
	stopping, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			_, _ = harness.Load(s.Port, "--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
			select {
			case <-stopping:
				return
			default:
			}
		}
	}()
	s.do(func() error {
		return harness.WaitFor("clients", func() bool {
			got, err := harness.ReadStats(s.store)
			return err == nil && got[sessioncache.Stores] > 20
		})
	})
	return func() { close(stopping); <-stopped }
}

func (s *server) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

func (s *server) refuses() bool {
	conn, err := net.DialTimeout("tcp", s.address(), harness.Patience)
	if err == nil {
		conn.Close()
	}
	return err != nil
}

// asking is a client in the middle of its question.
type asking struct{ net.Conn }

func (s *server) ask() asking {
	s.t.Helper()
	conn, err := tls.Dial("tcp", s.address(), &tls.Config{InsecureSkipVerify: true})
	s.do(func() error { return err })
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: first.test\r\n")
	s.do(func() error { return err })
	return asking{conn}
}

// finish asks the rest and is what is answered.
func (a asking) finish() string {
	_ = a.SetDeadline(time.Now().Add(harness.Patience))
	_, _ = io.WriteString(a, "\r\n")
	answer := make([]byte, 1024)
	n, _ := a.Read(answer)
	return string(answer[:n])
}

// A worker that crashes ends as it does without gosess, with or without a core dump, and what the
// master makes of it is the same.
func TestFaults(t *testing.T) {
	pid := regexp.MustCompile(`(\] +|worker )\(\d+\)`)
	for _, kind := range []string{"segfault", "abort"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			end := func(preloaded bool) (said string, dumps int) {
				s := newServer(t)
				if !s.Privileged() {
					t.Skip("needs root: the worker ends in a directory of its own")
				}
				s.Attached, s.fails = true, true
				if !preloaded {
					s.Env = []string{"LD_PRELOAD="}
				}
				s.preload("tests/nginx/testdata/fault.c")
				s.Env = append(s.Env, "FAULT=/fault") // in the worker's root, where it also dumps
				s.Global = "set-dumpable"
				s.do(func() error { return os.Chmod(s.Root(), 0o777) })
				s.do(s.Start)
				s.load("--tls", "1.2", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
				if worker := s.Workers()[0]; worker.Maps(core) != preloaded {
					t.Errorf("the Go half is in the worker: %v", !preloaded)
				}
				processes := append(s.Workers(), s.Master())
				s.do(func() error { return os.WriteFile(filepath.Join(s.Root(), "fault"), []byte(kind), 0o644) })
				_, err := harness.Load(s.Port, "--sessions", "1", "--attempts", "0")
				s.do(func() error { return err })
				s.do(func() error { return ended(processes) })
				found, err := filepath.Glob(filepath.Join(s.Root(), "core*"))
				s.do(func() error { return err })
				return pid.ReplaceAllString(s.Log(), "$1(PID)"), len(found)
			}
			without, dumps := end(false)
			with, itsDumps := end(true)
			t.Logf("%d core dumps, and:\n%s", itsDumps, with)
			if !strings.Contains(without, "exited with code") || with != without || itsDumps != dumps {
				t.Errorf("%d core dumps and %q, with gosess %d and %q", dumps, without, itsDumps, with)
			}
		})
	}
}
