package httpd_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// What the page tells an operator to do does what it says: sessions outlive a reload. Without gosess httpd's tickets do not.
func TestPage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var err error
	if s.SSL, err = harness.Block("httpd", "apache"); err != nil {
		t.Fatal(err)
	}
	harness.PageTour{
		Page: "httpd", Dir: s.Dir, Server: s, Through: &s.Through, Env: &s.Env,
		Resumes: func(resumed bool) {
			old := [][]string{s.pool("1.2"), s.pool("1.3")}
			s.do(s.Reload)
			for _, of := range old {
				wanted(t, of[1], resumed, s.load(of...))
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
	var output []byte
	// Once more, where it was back before a busy server had stored what it had just given out.
	waited := harness.WaitFor("s_client to resume its session five times", func() bool {
		output, err = exec.Command(words[0], words[1:]...).CombinedOutput()
		return err != nil || strings.Count(string(output), "\nReused, ") == 5
	})
	if err != nil || waited != nil {
		s.t.Errorf("%q: %v %v\n%s", words, err, waited, output)
	}
}
