package nginx_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gosess/tests/harness"
)

// Is the C half clean under the address and undefined-behaviour sanitizers while it serves nginx?
func TestAddressSanitizer(t *testing.T) {
	s, url := withStore(t)
	reports := filepath.Join(s.Dir, "reports")
	s.do(func() error { return os.Mkdir(reports, 0o777) })
	s.do(func() error { return os.Chmod(reports, 0o777) }) // workers write there too
	env, err := harness.PreloadWatched(s.Dir, url+"?size=16m", filepath.Join(reports, "report"))
	s.do(func() error { return err })
	s.Env = env
	s.do(s.Start)
	for _, worker := range s.Workers() {
		if !worker.Maps("libasan") {
			t.Fatal("a worker is not watched")
		}
	}
	versions := []string{"1.2", "1.3"}
	var old [][]string
	for _, version := range versions {
		old = append(old, s.pool(version))
	}
	for _, step := range []func() error{s.Reload, func() error { s.do(s.Stop); return s.Start() }} {
		s.do(step)
		for i, version := range versions {
			s.resumes(append(old[i], "--attempts", "400")...)
			s.resumes(few(version, "--no-ticket")...)
		}
	}
	s.do(s.Stop)
	found, err := filepath.Glob(filepath.Join(reports, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, report := range found {
		text, _ := os.ReadFile(report)
		t.Errorf("%s", text)
	}
}

// Does the C half lose memory under nginx? Only what is lost for certain counts, and of that what
// it has allocated itself.
func TestValgrind(t *testing.T) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		t.Skip("valgrind is not installed")
	}
	s, _ := withStore(t)
	standIn := filepath.Join(s.Dir, "memory.so")
	compile(t, "../../c/cores/memory.c", standIn)
	s.Env = append(s.Env, "GOSESS_CORE="+standIn)
	s.do(s.Test) // which writes the configuration
	report := filepath.Join(s.Dir, "report")
	nginx := exec.Command(valgrind, "-q", "--leak-check=full", "--show-leak-kinds=definite", "--log-file="+report,
		"nginx", "-p", s.Dir, "-e", s.ErrorLog(), "-c", filepath.Join(s.Dir, "nginx.conf"), "-g", "daemon off; master_process off;")
	nginx.Env = append(os.Environ(), s.Env...)
	s.do(nginx.Start)
	defer nginx.Process.Kill()
	s.do(func() error {
		return harness.WaitFor("nginx to serve", func() bool {
			conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port())))
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
	})
	each(t, func(t *testing.T, version string) {
		s.t = t
		s.resumes("--tls", version, "--sessions", "20", "--attempts", "60")
	})
	s.t = t
	ended := make(chan error, 1)
	go func() { ended <- nginx.Wait() }()
	s.do(func() error {
		return harness.WaitFor("nginx to end", func() bool {
			// Again and again: nginx does not see one that comes just before it waits for events.
			return nginx.Process.Signal(syscall.SIGQUIT) != nil
		})
	})
	s.do(func() error { return <-ended })
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(text), "== \n") {
		if strings.Contains(part, "gosess_") {
			t.Error(part)
		}
	}
}
