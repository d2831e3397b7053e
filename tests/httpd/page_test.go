package httpd_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// What the page tells an operator to do does what it says.
func TestPage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	harness.PageTour{
		Page: "httpd", Dir: s.Dir, Server: s, Through: &s.Through, Env: &s.Env,
		Resumes: func(resumed bool) {
			for _, version := range []string{"1.2", "1.3"} {
				r := s.load("--tls", version, "--sessions", "20", "--attempts", "100")
				wanted(t, "TLS "+version, resumed, r)
			}
			if resumed {
				s.reconnects()
			}
		},
	}.Run(t)
}

// reconnects runs the page's s_client with -reconnect, which makes a session and resumes it five times.
func (s *server) reconnects() {
	s.t.Helper()
	words, err := harness.PageCommand("httpd", "openssl s_client", "HOST:443", fmt.Sprint("127.0.0.1:", s.Port()))
	if err != nil {
		s.t.Fatal(err)
	}
	output, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if count := strings.Count(string(output), "\nReused, "); err != nil || count != 5 {
		s.t.Errorf("%q: reused %d times: %v\n%s", words, count, err, output)
	}
}
