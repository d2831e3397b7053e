package nginx_test

import (
	"testing"

	"gosess/tests/harness"
)

// What the page tells an operator to do does what it says: sessions outlive a reload. Without gosess nginx's tickets do not.
func TestPage(t *testing.T) {
	t.Parallel()
	s := newServer(t, "")
	s.Tickets = true
	harness.PageTour{
		Page: "nginx", Dir: s.Dir, Server: s, Through: &s.Through, Env: &s.Env,
		Resumes: func(wanted bool) {
			old := [][]string{s.pool("1.2"), s.pool("1.3")}
			s.do(s.Reload)
			for _, of := range old {
				if wanted {
					s.resumes(append(of, "--attempts", "100")...)
				} else {
					s.refuses(append(of, "--attempts", "100")...)
				}
			}
		},
	}.Run(t)
}

// nginx -t says what is wrong with the environment, and that nginx's own configuration is right.
func TestMistakeIsSaid(t *testing.T) {
	s := newServer(t, "shm:?size=many")
	s.says = 1
	s.do(s.Test)
}
