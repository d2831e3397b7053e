package nginx_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

const core = "libgosess-core.so"

// The main figure: every session is resumed, by whichever worker it comes to.
func TestResumesAcrossWorkers(t *testing.T) {
	s := started(t, anonymous)
	each(t, func(t *testing.T, version string) {
		s.t = t
		r := s.resumes("--tls", version, "--sessions", harness.Times(200), "--attempts", harness.Times(2000), "--threads", "4")
		if r.Handshakes != r.Sessions+r.Attempts || r.Resumed != r.Attempts || r.Workers < 2 {
			t.Errorf("%+v", r)
		}
	})
	s.t = t
}

func TestResumesAfterReload(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := started(t, anonymous)
		old := s.pool(version)
		s.do(s.Reload)
		s.resumes(old...)
		s.resumes(few(version)...)
	})
}

func TestResumesAfterRestart(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		for _, end := range []struct {
			name string
			how  func(*server) error
		}{
			{"stop", func(s *server) error { return s.Stop() }},
			{"kill -9", func(s *server) error { return s.Kill9() }},
		} {
			t.Run(end.name, func(t *testing.T) {
				s := newServer(t, "")
				env, err := harness.Preload("shm:" + filepath.Join(s.Dir, "store") + "?size=64m")
				if err != nil {
					t.Fatal(err)
				}
				s.Env = env
				s.do(s.Start)
				old := s.pool(version)
				s.do(func() error { return end.how(s) })
				s.do(s.Start)
				s.resumes(old...)
				s.resumes(few(version)...)
			})
		}
	})
}

// Handshakes while nginx reloads are served and resumed like any other.
func TestResumesWhileReloading(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := started(t, anonymous)
		reloaded := make(chan error, 1)
		go func() { reloaded <- errors.Join(s.Reload(), s.Reload()) }()
		for reloading := true; reloading; {
			select {
			case err := <-reloaded:
				if err != nil {
					t.Fatal(err)
				}
				reloading = false
			default:
			}
			s.resumes(few(version)...)
		}
	})
}

// A store that is damaged, or of another version, is put aside, and an empty one is served from.
func TestReplacesADamagedStore(t *testing.T) {
	for name, at := range map[string]int64{"version": 8, "checksum": 60} {
		t.Run(name, func(t *testing.T) {
			s, url := withStore(t)
			s.do(s.Start)
			old := s.pool("1.2")
			s.do(s.Stop)
			path := strings.TrimPrefix(url, "shm:")
			damage(t, path, at)
			s.says = 1
			s.do(s.Start)
			s.refuses(append(old, "--attempts", harness.Times(200))...)
			s.resumes(few("1.3")...)
			if _, err := os.Stat(path + ".old"); err != nil {
				t.Error(err)
			}
			for _, line := range s.Said() {
				if !strings.Contains(line, path+".old") {
					t.Errorf("the line does not say where it is: %s", line)
				}
			}
		})
	}
}

// damage changes the byte at an offset of a file.
func damage(t *testing.T, path string, at int64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	one := make([]byte, 1)
	if _, err := file.ReadAt(one, at); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 0xff
	if _, err := file.WriteAt(one, at); err != nil {
		t.Fatal(err)
	}
}

// An anonymous store belongs to one master: after a restart its sessions are gone, and that is all.
func TestAnonymousStoreEndsWithItsMaster(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := started(t, anonymous)
		old := s.pool(version)
		s.do(s.Stop)
		s.do(s.Start)
		s.refuses(append(old, "--attempts", harness.Times(200))...)
	})
}

// The Go half comes to be in all workers and not in the master, whose threads are its own.
func TestMasterIsLeftAlone(t *testing.T) {
	s := started(t, anonymous)
	s.resumes(few("1.3")...)
	s.do(s.Reload)
	s.do(func() error {
		return harness.WaitFor("each worker to serve", func() bool {
			s.resumes(few("1.2")...)
			return !slices.ContainsFunc(s.Workers(), func(worker harness.Process) bool { return !worker.Maps(core) })
		})
	})
	if n := s.Master().Threads(); n != 1 {
		t.Errorf("the master has %d threads", n)
	}
	if s.Master().Maps(core) {
		t.Error("the Go half is in the master")
	}
}

// A worker that is killed costs no session.
func TestResumesAfterAWorkerDies(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := started(t, anonymous)
		s.expects = "exited on signal 9"
		old := s.pool(version)
		worker := s.Workers()[0]
		s.do(func() error { return worker.Kill(syscall.SIGKILL) })
		s.do(func() error { return s.WaitServing(worker) })
		s.resumes(old...)
	})
}

// A HelloRetryRequest asks for the same session twice in one handshake (L7).
func TestResumesWithHelloRetryRequest(t *testing.T) {
	s := newServer(t, anonymous)
	s.Sites[0].Directives = "ssl_ecdh_curve prime256v1;"
	s.do(s.Start)
	r := s.resumes(few("1.3", "--groups", "X25519:P-256")...)
	if r.Retries != r.Handshakes {
		t.Errorf("no HelloRetryRequest: %+v", r)
	}
}

// A client that goes away without a close_notify keeps its session: nginx does not hold it against it.
func TestResumesAfterUncleanClose(t *testing.T) {
	s := started(t, anonymous)
	each(t, func(t *testing.T, version string) {
		s.t = t
		s.resumes(few(version, "--no-shutdown")...)
	})
	s.t = t
}

func TestResumesWithoutRoot(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := newServer(t, anonymous)
		s.Unprivileged = true
		s.do(s.Start)
		s.resumes(few(version)...)
	})
}

func TestConfigurationTest(t *testing.T) {
	s := newServer(t, anonymous)
	s.do(s.Test)
	if !strings.Contains(s.Log(), "test is successful") {
		t.Error("nginx -t did not say so")
	}
}

// USR1 makes nginx open its logs again; requests go on being resumed and logged in the new one.
func TestReopensItsLogs(t *testing.T) {
	s := started(t, anonymous)
	old := s.pool("1.2")
	log := s.AccessLog()
	s.do(s.ReopenLogs)
	r := s.resumes(old...)
	data, err := os.ReadFile(log)
	if lines := strings.Count(string(data), "\n"); err != nil || lines != r.Handshakes {
		t.Errorf("%d lines in the new log, %d handshakes, %v", lines, r.Handshakes, err)
	}
}
