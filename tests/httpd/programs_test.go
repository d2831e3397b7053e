package httpd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// script writes a program of sh and is its path.
func (s *server) script(text string) string {
	s.t.Helper()
	path := filepath.Join(s.Dir, "script")
	s.do(func() error { return os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755) })
	s.do(func() error { return os.Chmod(path, 0o755) })
	return path
}

// A child that has the Go half forks for a CGI program. The program has nothing of gosess; where it is
// handed the preload it has the C half, which does nothing in it.
func TestCGI(t *testing.T) {
	for handed, condition := range map[string]string{
		"":                                `test -z "$LD_PRELOAD$GOSESS_CACHE"`,
		"PassEnv LD_PRELOAD GOSESS_CACHE": `grep -q libgosess.so /proc/self/maps && ! grep -q libgosess-core /proc/self/maps`,
	} {
		for mpm, module := range map[string]string{"prefork": "cgi", "event": "cgid"} {
			t.Run(mpm+" "+handed, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				s.MPM = mpm
				s.SSL += "\n" + handed
				for _, name := range []string{module, "env"} {
					s.SSL = "LoadModule " + name + "_module /usr/lib/apache2/modules/mod_" + name + ".so\n" + s.SSL
				}
				s.Sites[0].Location = "ScriptAliasMatch ^/$ " + s.script(condition+
					" || echo Status: 500\necho Content-Type: text/plain; echo; echo ok\n")
				s.do(s.Start)
				if r := s.load("--tls", "1.3", "--sessions", harness.Times(20), "--attempts", harness.Times(100)); r.Resumed != r.Attempts {
					t.Errorf("resumed %d of %d", r.Resumed, r.Attempts)
				}
			})
		}
	}
}

// The program that a log is piped to has the preload from the parent, and nothing happens in it: it
// is told of every request, of those after a reload too.
func TestPipedLog(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	log, preloads := filepath.Join(s.Dir, "piped.log"), filepath.Join(s.Dir, "preloads")
	s.SSL += "\nCustomLog |" + s.script(`echo "$LD_PRELOAD" >>`+preloads+`; exec cat >>`+log+"\n") + " %{SSL_SESSION_RESUMED}x"
	s.do(s.Start)
	sum, resumed := 0, 0
	for range 2 {
		r := s.load("--tls", "1.3", "--sessions", harness.Times(20), "--attempts", harness.Times(100))
		sum, resumed = sum+r.Handshakes, resumed+r.Attempts
		s.do(func() error {
			return harness.WaitFor("the lines of all requests", func() bool { return len(linesOf(log)) == sum })
		})
		s.do(s.Reload)
	}
	if n := strings.Count(strings.Join(linesOf(log), " "), "Resumed"); n != resumed {
		t.Errorf("%d lines say that a session was resumed, not %d", n, resumed)
	}
	programs := linesOf(preloads)
	if len(programs) < 2 {
		t.Errorf("%d programs were started", len(programs))
	}
	for _, preload := range programs {
		if !strings.Contains(preload, "libgosess.so") {
			t.Errorf("a program was started with the preload %q", preload)
		}
	}
}

func linesOf(path string) []string {
	text, _ := os.ReadFile(path)
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}
